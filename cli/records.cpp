#include "cli/records.hpp"

#include <string>

#include "cli/values.hpp"

namespace perdure::cli {
namespace {

void write_as_json(const journal::RecordBuffer& record, std::uint32_t index,
                   const RecordContent& content, const Screen& screen) {
  screen.out << JsonObject()
                    .number("index", index)
                    .number("number", record.number())
                    .text("kind", to_string(record.kind()))
                    .text("stamp", json_time(content.stamp))
                    .number("stored_bytes", record.stored_bytes())
                    .object("content", content.fields)
                    .line()
             << '\n';
}

void write_as_text(const journal::RecordBuffer& record, std::uint32_t index,
                   const RecordContent& content, const Screen& screen) {
  screen.out << inked("#" + std::to_string(index) + "  " + std::string(to_string(record.kind())),
                      Ink::bold, screen.colour)
             << "  number " << record.number() << "  "
             << iso_time(content.stamp, screen.zone, Fraction::milliseconds) << "  "
             << size_text(record.stored_bytes()) << "\n  {";
  const char* between = "\n";
  for (const auto& [name, value] : content.fields.fields()) {
    screen.out << between << "    " << json_string(name) << ": " << value;
    between = ",\n";
  }
  screen.out << "\n  }\n";
}

}  // namespace

Result<void> show_records(journal::Reader& reader, const journal::RunInfo& run,
                          const Screen& screen) {
  // Of a queued run there is its message alone, which is no record yet.
  if (run.head.status == journal::RunStatus::queued) return success();
  PERDURE_TRY(journal::RecordStream stream, reader.records(run.id));
  while (screen.open()) {
    PERDURE_TRY(const journal::RecordBuffer* const record, stream.next());
    if (record == nullptr) break;
    Result<RecordContent> content = content_of(*record, reader);
    if (content.has_error()) {
      Error error = std::move(content).assume_error();
      error.message = "record " + std::to_string(stream.index()) + " of run " + to_string(run.id) +
                      ": " + error.message;
      return error;
    }
    if (screen.format == Format::json)
      write_as_json(*record, stream.index(), content.assume_value(), screen);
    else
      write_as_text(*record, stream.index(), content.assume_value(), screen);
  }
  return success();
}

}  // namespace perdure::cli
