#include "CSimdjson.h"
#include <simdjson.h>
#include <cstring>
#include <memory>
#include <new>

struct vj_parser {
    simdjson::dom::parser parser;
    /// simdjson reads up to SIMDJSON_PADDING bytes past the end.
    std::unique_ptr<uint8_t[]> padded;
    size_t max_bytes;
};

vj_parser *vj_parser_new(size_t max_bytes, size_t max_depth) {
    // Everything is allocated here, so that parsing never does.
    std::unique_ptr<vj_parser> p(new (std::nothrow) vj_parser{simdjson::dom::parser(max_bytes), nullptr, max_bytes});
    if (!p) return nullptr;
    p->padded.reset(new (std::nothrow) uint8_t[max_bytes + simdjson::SIMDJSON_PADDING]());
    if (!p->padded) return nullptr;
    if (p->parser.allocate(max_bytes, max_depth) != simdjson::SUCCESS) return nullptr;
    if (p->parser.doc.allocate(max_bytes) != simdjson::SUCCESS) return nullptr;
    return p.release();
}

void vj_parser_free(vj_parser *p) { delete p; }

int vj_parse(vj_parser *p, const uint8_t *bytes, size_t count) {
    if (count > p->max_bytes) return static_cast<int>(simdjson::CAPACITY);
    std::memcpy(p->padded.get(), bytes, count);
    return static_cast<int>(p->parser.parse(p->padded.get(), count, false).error());
}

const uint64_t *vj_tape(const vj_parser *p) { return p->parser.doc.tape.get(); }
const uint8_t *vj_strings(const vj_parser *p) { return p->parser.doc.string_buf.get(); }

bool vj_is_utf8(const uint8_t *bytes, size_t count) {
    return simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), count);
}

uint8_t *vj_text(const vj_parser *p) { return p->padded.get(); }

int vj_error_class(int code) {
    switch (static_cast<simdjson::error_code>(code)) {
    case simdjson::SUCCESS: return VJ_OK;
    case simdjson::DEPTH_ERROR: return VJ_DEPTH;
    case simdjson::UTF8_ERROR: return VJ_UTF8;
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE: return VJ_NUMBER;
    case simdjson::CAPACITY: return VJ_CAPACITY;
    case simdjson::MEMALLOC: return VJ_MEMORY;
    default: return VJ_SYNTAX;
    }
}
