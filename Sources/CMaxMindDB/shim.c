#include "CMaxMindDB.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const char *const paths[][5] = {
    [VM_COUNTRY] = {"country", "iso_code"},
    [VM_REGION_NAME] = {"subdivisions", "0", "names", "en"},
    [VM_REGION_CODE] = {"subdivisions", "0", "iso_code"},
    [VM_CITY] = {"city", "names", "en"},
    [VM_LATITUDE] = {"location", "latitude"},
    [VM_LONGITUDE] = {"location", "longitude"},
    [VM_SYSTEM] = {"autonomous_system_number"},
    [VM_SYSTEM_TRAIT] = {"traits", "autonomous_system_number"},
    [VM_CONNECTION] = {"connection_type"},
    [VM_CONNECTION_TRAIT] = {"traits", "connection_type"},
    [VM_USER_TYPE] = {"traits", "user_type"},
    [VM_ANONYMOUS] = {"is_anonymous"},
    [VM_ANONYMOUS_TRAIT] = {"traits", "is_anonymous"},
    [VM_ANONYMOUS_PROXY_TRAIT] = {"traits", "is_anonymous_proxy"},
    [VM_ANONYMOUS_VPN] = {"is_anonymous_vpn"},
    [VM_PUBLIC_PROXY] = {"is_public_proxy"},
    [VM_RESIDENTIAL_PROXY] = {"is_residential_proxy"},
    [VM_TOR_EXIT] = {"is_tor_exit_node"},
    [VM_HOSTING] = {"is_hosting_provider"},
    [VM_HOSTING_TRAIT] = {"traits", "is_hosting_provider"},
    [VM_SATELLITE_TRAIT] = {"traits", "is_satellite_provider"},
};

int vm_open(const char *path, MMDB_s **database) {
    *database = NULL;
    MMDB_s *opened = calloc(1, sizeof(MMDB_s));
    if (!opened) return MMDB_OUT_OF_MEMORY_ERROR;
    int status = MMDB_open(path, MMDB_MODE_MMAP, opened);
    if (status == MMDB_SUCCESS) {
        *database = opened;
    } else {
        free(opened);
    }
    return status;
}

void vm_close(MMDB_s *database) {
    MMDB_close(database);
    free(database);
}

int vm_lookup(const MMDB_s *database, bool is_v4, uint64_t high, uint64_t low, MMDB_lookup_result_s *result) {
    memset(result, 0, sizeof *result);
    int status = MMDB_SUCCESS;
    if (is_v4) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl((uint32_t)low)};
        *result = MMDB_lookup_sockaddr(database, (const struct sockaddr *)&address, &status);
    } else if (database->metadata.ip_version == 6) {
        struct sockaddr_in6 address = {.sin6_family = AF_INET6};
        for (int i = 0; i < 8; i++) {
            address.sin6_addr.s6_addr[i] = (uint8_t)(high >> (56 - 8 * i));
            address.sin6_addr.s6_addr[8 + i] = (uint8_t)(low >> (56 - 8 * i));
        }
        *result = MMDB_lookup_sockaddr(database, (const struct sockaddr *)&address, &status);
    }
    if (status != MMDB_SUCCESS) result->found_entry = false;
    return status;
}

static bool value(const MMDB_lookup_result_s *found, vm_field field, MMDB_entry_data_s *data) {
    if (!found->found_entry) return false;
    MMDB_entry_s entry = found->entry;
    return MMDB_aget_value(&entry, data, paths[field]) == MMDB_SUCCESS && data->has_data;
}

bool vm_text(const MMDB_lookup_result_s *found, vm_field field, const uint8_t **bytes, uint32_t *count) {
    MMDB_entry_data_s data;
    if (!value(found, field, &data) || data.type != MMDB_DATA_TYPE_UTF8_STRING) return false;
    *bytes = (const uint8_t *)data.utf8_string;
    *count = data.data_size;
    return true;
}

bool vm_number(const MMDB_lookup_result_s *found, vm_field field, double *number) {
    MMDB_entry_data_s data;
    if (!value(found, field, &data)) return false;
    switch (data.type) {
    case MMDB_DATA_TYPE_DOUBLE: *number = data.double_value; return true;
    case MMDB_DATA_TYPE_FLOAT: *number = data.float_value; return true;
    case MMDB_DATA_TYPE_UINT16: *number = data.uint16; return true;
    case MMDB_DATA_TYPE_UINT32: *number = data.uint32; return true;
    case MMDB_DATA_TYPE_INT32: *number = data.int32; return true;
    case MMDB_DATA_TYPE_UINT64: *number = (double)data.uint64; return true;
    default: return false;
    }
}

bool vm_flag(const MMDB_lookup_result_s *found, vm_field field) {
    MMDB_entry_data_s data;
    return value(found, field, &data) && data.type == MMDB_DATA_TYPE_BOOLEAN && data.boolean;
}
