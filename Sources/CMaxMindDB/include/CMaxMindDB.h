#ifndef VIGIL_CMAXMINDDB_H
#define VIGIL_CMAXMINDDB_H
#include <maxminddb.h>
#include <stdbool.h>
#include <stdint.h>

/// What may be known of an address. Paths are those of the published GeoIP2 and GeoLite2 databases.
typedef enum {
    VM_COUNTRY,
    VM_REGION_NAME,
    VM_REGION_CODE,
    VM_CITY,
    VM_LATITUDE,
    VM_LONGITUDE,
    VM_SYSTEM,
    VM_SYSTEM_TRAIT,
    VM_CONNECTION,
    VM_CONNECTION_TRAIT,
    VM_USER_TYPE,
    VM_ANONYMOUS,
    VM_ANONYMOUS_TRAIT,
    VM_ANONYMOUS_PROXY_TRAIT,
    VM_ANONYMOUS_VPN,
    VM_PUBLIC_PROXY,
    VM_RESIDENTIAL_PROXY,
    VM_TOR_EXIT,
    VM_HOSTING,
    VM_HOSTING_TRAIT,
    VM_SATELLITE_TRAIT,
} vm_field;

/// Opens and maps a file. MMDB_SUCCESS, or the library's code for why not; `*database` is then null.
int vm_open(const char *path, MMDB_s **database);
void vm_close(MMDB_s *database);

/// Looks up an address: its two halves big-endian, an IPv4 address in the low 32 bits of `low`. MMDB_SUCCESS with
/// `found_entry` set or not, or the library's code for a damaged file. An IPv6 address is not in a database of IPv4.
int vm_lookup(const MMDB_s *database, bool is_v4, uint64_t high, uint64_t low, MMDB_lookup_result_s *result);

/// The value of a field, false where there is none of that kind. Texts are not terminated and live as long as the
/// database; numbers are of any of the format's numeric types.
bool vm_text(const MMDB_lookup_result_s *found, vm_field field, const uint8_t **bytes, uint32_t *count);
bool vm_number(const MMDB_lookup_result_s *found, vm_field field, double *value);
bool vm_flag(const MMDB_lookup_result_s *found, vm_field field);
#endif
