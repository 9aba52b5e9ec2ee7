#include "tests/crash/disk_model.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

namespace perdure::crash {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool drawn(double probability, std::mt19937_64& random) {
  return std::uniform_real_distribution<double>(0.0, 1.0)(random) < probability;
}

}  // namespace

DiskModel::DiskModel(const fs::path& root, Syncs syncs) : syncs_(syncs) {
  root_ = load(root, inodes_);
  inodes_[kDiskRoot] = root_;
}

DiskModel::DiskModel(const DiskModel& other, Syncs syncs)
    : syncs_(syncs), syncs_begun_(other.syncs_begun_), time_(other.time_) {
  Copies copies;
  root_ = copy(other.root_, copies);
  for (const auto& [inode, node] : other.inodes_) inodes_[inode] = copy(node, copies);
}

/// The same node where several names or changes lead to one.
std::shared_ptr<DiskModel::Node> DiskModel::copy(const std::shared_ptr<Node>& node,
                                                 Copies& copies) {
  if (node == nullptr) return nullptr;
  std::shared_ptr<Node>& made = copies[node.get()];
  if (made != nullptr) return made;
  made = std::make_shared<Node>(*node);
  const std::shared_ptr<Node> result = made;
  for (auto& [name, child] : result->entries) child = copy(child, copies);
  for (auto& [name, child] : result->certain_entries) child = copy(child, copies);
  for (Version<Change>& change : result->changes) change.what.node = copy(change.what.node, copies);
  return result;
}

std::shared_ptr<DiskModel::Node> DiskModel::load(
    const fs::path& path, std::map<std::uint64_t, std::shared_ptr<Node>>& inodes) {
  auto node = std::make_shared<Node>();
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) throw std::logic_error("no " + path.string());
  inodes[status.st_ino] = node;
  node->directory = S_ISDIR(status.st_mode);
  if (!node->directory) {
    node->now = contents(path);
    node->certain = node->now;
    return node;
  }
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().filename() != "lock.mdb")
      node->entries[entry.path().filename().string()] = load(entry.path(), inodes);
  node->certain_entries = node->entries;
  return node;
}

void DiskModel::apply(const DiskRecord& record) {
  ++time_;
  switch (record.event) {
    case DiskEvent::create_file:
    case DiskEvent::create_directory: create(record); return;
    case DiskEvent::write: write(node(record.file), record.offset, record.data); return;
    case DiskEvent::write_through: end_write_through(node(record.file), record.offset); return;
    case DiskEvent::truncate: truncate(node(record.file), record.offset); return;
    case DiskEvent::sync_begin: syncs_begun_[record.offset] = time_; return;
    case DiskEvent::sync_end: end_sync(node(record.file), syncs_begun_.at(record.offset)); return;
    case DiskEvent::rename: rename(record); return;
    case DiskEvent::remove: remove(record); return;
    case DiskEvent::mark: return;
  }
  throw std::logic_error("the disk's log has an event that nobody knows");
}

DiskModel::Node& DiskModel::node(std::uint64_t inode) const {
  const auto found = inodes_.find(inode);
  if (found == inodes_.end()) throw std::logic_error("the log speaks of an unknown file");
  return *found->second;
}

std::pair<std::shared_ptr<DiskModel::Node>, std::string> DiskModel::parent_of(
    const std::string& path) const {
  std::shared_ptr<Node> directory = root_;
  fs::path rest(path);
  for (const fs::path& part : rest.parent_path()) {
    const auto found = directory->entries.find(part.string());
    if (found == directory->entries.end()) throw std::logic_error("no directory of " + path);
    directory = found->second;
  }
  return {directory, rest.filename().string()};
}

void DiskModel::make(const Change& change, Entries& entries) {
  if (change.node != nullptr) {
    entries[change.name] = change.node;
    return;
  }
  const auto found = entries.find(change.name);
  if (found == entries.end()) return;  // On this disk it never came to be.
  if (!change.to.empty()) entries[change.to] = found->second;
  entries.erase(change.name);
}

void DiskModel::note(const std::shared_ptr<Node>& directory, Change change) {
  make(change, directory->entries);
  directory->changes.push_back({time_, std::move(change)});
}

void DiskModel::create(const DiskRecord& record) {
  const auto [directory, name] = parent_of(record.path);
  auto made = std::make_shared<Node>();
  made->directory = record.event == DiskEvent::create_directory;
  inodes_[record.file] = made;
  note(directory, {name, {}, made});
}

void DiskModel::rename(const DiskRecord& record) {
  const auto [directory, name] = parent_of(record.path);
  const auto [to_directory, to] = parent_of(record.data);
  if (!directory->entries.contains(name))
    throw std::logic_error("a rename of " + record.path + " to " + record.data);
  if (directory == to_directory) {
    note(directory, {name, to, nullptr});
    return;
  }
  // Each of the two directories is synced by itself, and nothing else is relied on.
  note(to_directory, {to, {}, directory->entries.at(name)});
  note(directory, {name, {}, nullptr});
}

void DiskModel::remove(const DiskRecord& record) {
  const auto [directory, name] = parent_of(record.path);
  if (!directory->entries.contains(name)) throw std::logic_error("no " + record.path);
  note(directory, {name, {}, nullptr});
}

void DiskModel::note_sectors(Node& file, std::size_t begin, std::size_t end) {
  for (std::size_t sector = begin / kSectorBytes; sector * kSectorBytes < end; ++sector) {
    Sector bytes{};
    if (sector * kSectorBytes < file.now.size())
      file.now.copy(bytes.data(), kSectorBytes, sector * kSectorBytes);
    file.sectors[sector].push_back({time_, bytes});
  }
}

void DiskModel::write(Node& file, std::size_t offset, const std::string& data) {
  if (offset + data.size() > file.now.size()) {
    file.now.resize(offset + data.size());
    file.lengths.push_back({time_, file.now.size()});
  }
  file.now.replace(offset, data.size(), data);
  file.last_write_bytes = data.size();
  note_sectors(file, offset, offset + data.size());
}

void DiskModel::truncate(Node& file, std::size_t size) {
  const std::size_t before = file.now.size();
  file.now.resize(size);
  file.lengths.push_back({time_, size});
  if (size < before) note_sectors(file, size, before);
}

/// The newest of the versions from before `before` is certain, and those it replaced are gone.
void DiskModel::settle(Node& file, std::size_t sector, std::vector<Version<Sector>>& versions,
                       std::uint64_t before) {
  const auto later = std::ranges::find_if(
      versions, [&](const Version<Sector>& version) { return version.when >= before; });
  if (later == versions.begin()) return;
  const std::size_t at = sector * kSectorBytes;
  if (file.certain.size() < at + kSectorBytes) file.certain.resize(at + kSectorBytes);
  file.certain.replace(at, kSectorBytes, std::prev(later)->what.data(), kSectorBytes);
  versions.erase(versions.begin(), later);
}

void DiskModel::end_sync(Node& node, std::uint64_t begun) const {
  if (node.directory) {
    if (syncs_ == Syncs::without_directories) return;
    std::size_t done = 0;
    for (; done < node.changes.size() && node.changes[done].when < begun; ++done)
      make(node.changes[done].what, node.certain_entries);
    node.changes.erase(node.changes.begin(),
                       node.changes.begin() + static_cast<std::ptrdiff_t>(done));
    return;
  }
  if (syncs_ == Syncs::without_data || syncs_ == Syncs::without_files) return;
  std::size_t length = node.certain.size();
  const auto later = std::ranges::find_if(
      node.lengths, [&](const Version<std::size_t>& each) { return each.when >= begun; });
  if (later != node.lengths.begin()) length = std::prev(later)->what;
  node.lengths.erase(node.lengths.begin(), later);
  for (auto& [sector, versions] : node.sectors) settle(node, sector, versions, begun);
  std::erase_if(node.sectors, [](const auto& each) { return each.second.empty(); });
  node.certain.resize(length);
}

/// O_DSYNC: the sectors of the write itself, and the length that it takes to read them.
void DiskModel::end_write_through(Node& file, std::size_t offset) const {
  if (syncs_ == Syncs::without_files) return;
  const std::size_t end = offset + file.last_write_bytes;
  const std::size_t length = std::max(file.certain.size(), end);
  for (auto& [sector, versions] : file.sectors)
    if (sector * kSectorBytes < end && (sector + 1) * kSectorBytes > offset)
      settle(file, sector, versions, std::numeric_limits<std::uint64_t>::max());
  std::erase_if(file.sectors, [](const auto& each) { return each.second.empty(); });
  file.certain.resize(length);
  std::erase_if(file.lengths, [&](const auto& each) { return each.what <= length; });
}

std::map<std::string, std::string> files_in(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = fs::relative(entry.path(), root).string();
    if (entry.is_directory()) {
      files[path + "/"];
    } else if (entry.path().filename() != "lock.mdb") {
      files[path] = contents(entry.path());
    }
  }
  return files;
}

std::map<std::string, std::string> DiskModel::seen() const {
  std::map<std::string, std::string> files;
  see(*root_, "", files);
  return files;
}

void DiskModel::see(const Node& directory, const std::string& prefix,
                    std::map<std::string, std::string>& files) {
  for (const auto& [name, node] : directory.entries) {
    if (node->directory) {
      files[prefix + name + "/"];
      see(*node, prefix + name + "/", files);
    } else {
      files[prefix + name] = node->now;
    }
  }
}

void DiskModel::lose_power(const fs::path& target, double kept, std::mt19937_64& random) const {
  fs::remove_all(target);
  leave(*root_, target, kept, random);
}

void DiskModel::leave(const Node& directory, const fs::path& target, double kept,
                      std::mt19937_64& random) {
  fs::create_directories(target);
  Entries entries = directory.certain_entries;
  for (const Version<Change>& change : directory.changes)
    if (drawn(kept, random)) make(change.what, entries);
  for (const auto& [name, node] : entries) {
    if (node->directory) {
      leave(*node, target / name, kept, random);
      continue;
    }
    const std::string bytes = leave_file(*node, kept, random);
    std::ofstream out(target / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out) throw std::runtime_error("an image can't be written");
  }
}

std::string DiskModel::leave_file(const Node& file, double kept, std::mt19937_64& random) {
  std::size_t length = file.certain.size();
  for (const Version<std::size_t>& each : file.lengths)
    if (drawn(kept, random)) length = each.what;
  std::string bytes = file.certain;
  bytes.resize(length);
  for (const auto& [sector, versions] : file.sectors) {
    const std::size_t at = sector * kSectorBytes;
    for (const Version<Sector>& version : versions)
      if (drawn(kept, random) && at < length)
        bytes.replace(at, std::min(kSectorBytes, length - at), version.what.data(),
                      std::min(kSectorBytes, length - at));
  }
  return bytes;
}

}  // namespace perdure::crash
