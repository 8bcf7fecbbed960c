#ifndef VIGIL_CSQLITE_H
#define VIGIL_CSQLITE_H
#include <sqlite3.h>
#endif
