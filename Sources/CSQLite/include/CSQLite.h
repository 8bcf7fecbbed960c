#ifndef VIGIL_CSQLITE_H
#define VIGIL_CSQLITE_H
#include <sqlite3.h>

/// `sqlite3_bind_blob64` with SQLITE_STATIC, a macro Swift can't read: the bytes must outlive the step.
static inline int vs_bind_blob_static(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_STATIC);
}

/// `sqlite3_bind_text` with SQLITE_TRANSIENT: the bytes are copied.
static inline int vs_bind_text_copy(sqlite3_stmt *statement, int index, const char *bytes, int count) {
    return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}
#endif
