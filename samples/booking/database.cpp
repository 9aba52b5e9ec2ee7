
#include "database.hpp"

#include <sqlite3.h>

namespace booking {
namespace {

constexpr int kBusyMilliseconds = 5'000;

}  // namespace

void Database::Close::operator()(sqlite3* connection) const noexcept { sqlite3_close(connection); }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Database::Database(const std::string& file, Access access) : file_(file) {
  const int flags = access == Access::read_only ? SQLITE_OPEN_READONLY
                                                : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* connection = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);
  if (opened != SQLITE_OK) fail();
  sqlite3_busy_timeout(connection, kBusyMilliseconds);
  if (access == Access::read_write) {
    execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  }
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::try_execute(const std::string& sql) noexcept {
  sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
}

void Database::fail() const {
  const char* const reason =
      connection_ ? sqlite3_errmsg(connection_.get()) : "there is no memory for it";
  throw DatabaseError("The database " + file_ + " cannot be used: " + reason +
                      ". See that it is there, is whole and may be read by this user.");
}

Statement::Statement(Database& database, std::string_view sql, Prepared) : database_(&database) {
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v2(database.connection_.get(), sql.data(),
                                          static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  if (prepared != SQLITE_OK) database.fail();
}

void Statement::bind(std::string_view value) {
  // An empty view may have no address, and SQLite would take that for NULL.
  const char* const data = value.empty() ? "" : value.data();
  if (sqlite3_bind_text(statement_.get(), ++bound_, data, static_cast<int>(value.size()),
                        SQLITE_TRANSIENT) != SQLITE_OK) {
    database_->fail();
  }
}

void Statement::bind_number(std::int64_t value) {
  if (sqlite3_bind_int64(statement_.get(), ++bound_, value) != SQLITE_OK) database_->fail();
}

bool Statement::step() {
  const int stepped = sqlite3_step(statement_.get());
  if (stepped != SQLITE_ROW && stepped != SQLITE_DONE) database_->fail();
  return stepped == SQLITE_ROW;
}

std::string Statement::text(int column) const {
  const unsigned char* const value = sqlite3_column_text(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return value == nullptr ? std::string() : std::string(value, value + size);
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Transaction::Transaction(Database& database) : database_(&database) {
  database.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // After some failures SQLite has rolled back by itself, and there is nothing left to do.
  if (database_ != nullptr) database_->try_execute("ROLLBACK");
}

void Transaction::commit() {
  database_->execute("COMMIT");
  database_ = nullptr;
}

}  // namespace booking
