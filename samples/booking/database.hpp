/// SQLite as this sample needs it.
///
/// What this is: a connection, a prepared statement and a transaction, which close themselves.
/// What it promises: what cannot be done is a `DatabaseError` that names the file and SQLite's
/// reason; nothing fails silently.
/// What it does not: lock. A connection belongs to one thread at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace booking {

class DatabaseError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Access : std::uint8_t { read_only, read_write };

class Database {
 public:
  /// Opens `file`. With `read_write` it is made when it is not there, keeps a write-ahead log, and
  /// syncs each commit: what was committed stays, whatever happens to the process or the machine.
  Database(const std::string& file, Access access);

  /// Runs statements that give no rows.
  void execute(const std::string& sql);
  /// The same where it does not matter whether it can be done.
  void try_execute(const std::string& sql) noexcept;
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  friend class Statement;
  struct Close {
    void operator()(sqlite3* connection) const noexcept;
  };
  [[noreturn]] void fail() const;

  std::string file_;
  std::unique_ptr<sqlite3, Close> connection_;
};

/// One statement, its arguments bound in the order of its question marks. It must not outlive the
/// database.
class Statement {
 public:
  template <class... Arguments>
  Statement(Database& database, std::string_view sql, const Arguments&... arguments)
      : Statement(database, sql, Prepared{}) {
    (bind(arguments), ...);
  }

  /// Moves on to the next row; whether there is one.
  bool step();
  /// Columns of the present row, counted from 0. NULL is empty, or 0.
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  struct Prepared {};
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  Statement(Database& database, std::string_view sql, Prepared);
  void bind(std::string_view value);
  void bind_number(std::int64_t value);
  template <std::integral Number>
  void bind(Number value) {
    bind_number(static_cast<std::int64_t>(value));
  }

  Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

/// All or nothing: what is not committed is undone with this object.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  /// When this returns, the changes are on the disk.
  void commit();

 private:
  Database* database_;
};

}  // namespace booking
