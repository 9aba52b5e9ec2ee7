#include "tests/crash/disk_log.hpp"

#include <fstream>
#include <stdexcept>

namespace perdure::crash {

std::vector<DiskRecord> read_disk_log(const std::filesystem::path& file) {
  std::vector<DiskRecord> records;
  std::ifstream in(file, std::ios::binary);
  DiskRecordHeader header;
  while (in.read(reinterpret_cast<char*>(&header), sizeof header)) {
    DiskRecord record;
    record.event = static_cast<DiskEvent>(header.event);
    record.file = header.file;
    record.offset = header.offset;
    record.path.resize(header.path_bytes);
    record.data.resize(header.data_bytes);
    in.read(record.path.data(), static_cast<std::streamsize>(record.path.size()));
    in.read(record.data.data(), static_cast<std::streamsize>(record.data.size()));
    if (!in) throw std::runtime_error("the disk's log is cut off");
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace perdure::crash
