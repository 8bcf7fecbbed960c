#ifndef VIGIL_CSIMDJSON_H
#define VIGIL_CSIMDJSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// A reusable simdjson DOM parser. Not thread safe.
typedef struct vj_parser vj_parser;

/// Never NULL unless memory is exhausted. `max_bytes` bounds a document, `max_depth` its nesting.
vj_parser *vj_parser_new(size_t max_bytes, size_t max_depth);
void vj_parser_free(vj_parser *parser);

/// Parses one JSON document. 0 on success, else a simdjson error code.
/// The document is copied, so `bytes` needs no padding.
int vj_parse(vj_parser *parser, const uint8_t *bytes, size_t count);

/// The tape and string buffer of the last document; they stay where they are as long as the parser.
/// At least eight bytes after every string can be read.
/// Format: https://github.com/simdjson/simdjson/blob/master/doc/tape.md
const uint64_t *vj_tape(const vj_parser *parser);
const uint8_t *vj_strings(const vj_parser *parser);

/// Asks for the cache lines of that range; nothing is read, so any address may be given.
static inline void vj_prefetch(const void *start, size_t bytes) {
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch((const char *)start + at, 0, 3);
}

#if defined(__SSE2__)
/// Of eight slots of two words: a half of ones where the first word, masked, is `wanted`.
static inline __m128i vj_equal8(const uint32_t *words, __m128i mask, __m128i wanted) {
    const float *p = (const float *)words;
    const __m128i a = _mm_castps_si128(_mm_shuffle_ps(_mm_loadu_ps(p), _mm_loadu_ps(p + 4), 0x88));
    const __m128i b = _mm_castps_si128(_mm_shuffle_ps(_mm_loadu_ps(p + 8), _mm_loadu_ps(p + 12), 0x88));
    return _mm_packs_epi32(_mm_cmpeq_epi32(_mm_and_si128(a, mask), wanted), _mm_cmpeq_epi32(_mm_and_si128(b, mask), wanted));
}

/// As `vj_matches`, of eight slots and of eight others.
static inline uint64_t vj_matches16(const uint32_t *first, const uint32_t *second, __m128i mask, __m128i wanted) {
    const __m128i bytes = _mm_packs_epi16(vj_equal8(first, mask, wanted), vj_equal8(second, mask, wanted));
    return (uint64_t)(unsigned)_mm_movemask_epi8(bytes);
}
#endif

/// Bit i of the result: the first word of slot i, masked, is `value`; of up to 64 slots of two words of 32 bits.
static inline uint64_t vj_matches(const void *slots, size_t count, uint32_t value, uint32_t mask) {
    const uint32_t *words = (const uint32_t *)slots;
    uint64_t found = 0;
#if defined(__SSE2__)
    if (count >= 8) {
        const __m128i left = _mm_set1_epi32((int)mask), wanted = _mm_set1_epi32((int)value);
        size_t at = 0;
        for (; at + 16 < count; at += 16) found |= vj_matches16(words + at * 2, words + at * 2 + 16, left, wanted) << at;
        // The last sixteen or fewer as eight and eight, of which some may have been compared before.
        const size_t last = count - 8, before = last - at < 8 ? at : last - 8;
        const uint64_t rest = vj_matches16(words + before * 2, words + last * 2, left, wanted);
        return found | (rest & 0xFF) << before | rest >> 8 << last;
    }
#endif
#pragma clang loop vectorize(disable)
    for (size_t at = 0; at < count; at++) found |= (uint64_t)((words[at * 2] & mask) == value) << at;
    return found;
}

/// How many bytes from `start` on are printable ASCII but neither `"` nor `\\`; the search ends at `limit`, which is not before
/// `start`, or up to 15 bytes behind it, which must be readable.
static inline size_t vj_plain_count(const uint8_t *start, const uint8_t *limit) {
    size_t count = 0;
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\'), one = _mm_set1_epi8(1), least = _mm_set1_epi8(0x21);
    do {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(start + count));
        // One more than what is no printable ASCII is negative or less than one more than a blank.
        const __m128i ends = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape)),
            _mm_cmplt_epi8(_mm_add_epi8(bytes, one), least));
        const unsigned found = (unsigned)_mm_movemask_epi8(ends);
        if (found) return count + (size_t)__builtin_ctz(found);
        count += 16;
    } while (start + count < limit);
#else
    while (start + count < limit && start[count] >= 0x20 && start[count] < 0x7F && start[count] != '"' && start[count] != '\\')
        count++;
#endif
    return count;
}

/// The IPv4 address in dotted decimal without leading zeros that these bytes spell; negative where they spell none. How long
/// its numbers are no processor can guess, so the SSE2 form does not branch on it.
static inline int64_t vj_ipv4(const uint8_t *text, size_t count) {
    if (count < 7 || count > 15) return -1;
#if defined(__SSE2__)
    const unsigned n = (unsigned)count;
    // The first eight bytes, those behind them, and the last eight.
    uint64_t first, rest, last;
    if (n == 7) {
        uint32_t head, tail;
        memcpy(&head, text, 4);
        memcpy(&tail, text + 3, 4);
        first = head | (uint64_t)tail << 24;
        rest = 0;
        last = first << 8;
    } else {
        memcpy(&first, text, 8);
        memcpy(&last, text + n - 8, 8);
        rest = n == 8 ? 0 : last >> (128 - 8 * n);
    }
    const __m128i bytes = _mm_set_epi64x((long long)rest, (long long)first), zero = _mm_set1_epi8('0');
    const __m128i values = _mm_sub_epi8(bytes, zero);
    const unsigned digits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values));
    const unsigned zeros = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, zero));
    const unsigned dots = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
    const unsigned starts = dots << 1 | 1, dots2 = dots & (dots - 1), dots3 = dots2 & (dots2 - 1);
    // Nothing but digits and three dots, no number that is empty, or longer than three, or longer than one with a zero first.
    const unsigned longs = digits & digits >> 1 & digits >> 2 & digits >> 3, padded = zeros & starts & digits >> 1;
    if ((digits | dots) != (1u << n) - 1 || dots3 == 0 || (dots3 & (dots3 - 1)) != 0
        || ((starts & dots) | dots >> (n - 1) | longs | padded) != 0)
        return -1;
    const unsigned a = (unsigned)__builtin_ctz(dots), b = (unsigned)__builtin_ctz(dots2), c = (unsigned)__builtin_ctz(dots3);
    // Each number in four bytes, its last digit in the highest and zeros where it has none.
    const uint32_t one = (uint32_t)first << (32 - 8 * a);
    const uint32_t two = (uint32_t)(first >> (8 * a + 8)) << (40 - 8 * (b - a));
    const uint32_t three = (uint32_t)((first >> 32 | rest << 32) >> (8 * b - 24)) << (40 - 8 * (c - b));
    const uint32_t four = (uint32_t)(last >> 32) & UINT32_MAX << (40 - 8 * (n - c));
    const __m128i numbers = _mm_and_si128(_mm_set_epi32((int)four, (int)three, (int)two, (int)one), _mm_set1_epi8(0x0F));
    const __m128i tens = _mm_madd_epi16(_mm_and_si128(numbers, _mm_set1_epi16(0xFF)), _mm_set1_epi32(10 << 16));
    const __m128i others = _mm_madd_epi16(_mm_srli_epi16(numbers, 8), _mm_set1_epi32(1 << 16 | 100));
    const __m128i sums = _mm_add_epi32(tens, others);
    if (_mm_movemask_epi8(_mm_cmpgt_epi32(sums, _mm_set1_epi32(255))) != 0) return -1;
    const __m128i packed = _mm_packus_epi16(_mm_packs_epi32(sums, sums), sums);
    return __builtin_bswap32((uint32_t)_mm_cvtsi128_si32(packed));
#else
    uint32_t address = 0;
    size_t at = 0;
    for (int number = 0; number < 4; number++) {
        if (number > 0 && text[at++] != '.') return -1;
        const size_t start = at;
        uint32_t value = 0;
        while (at < count && at - start < 4 && text[at] >= '0' && text[at] <= '9') value = value * 10 + (text[at++] - '0');
        const size_t digits = at - start;
        if (digits < 1 || value > 255 || (digits > 1 && text[start] == '0') || (number < 3 && at == count)) return -1;
        address = address << 8 | value;
    }
    return at == count ? (int64_t)address : -1;
#endif
}

/// 10 to the `digits`, exactly; up to 7.
static inline double vj_power_of_ten(uint32_t digits) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    return powers[digits & 7];
}

bool vj_is_utf8(const uint8_t *bytes, size_t count);
/// Room of the parser's own for a document of `max_bytes` and at least 64 bytes more. `vj_parse` uses it, too.
uint8_t *vj_text(const vj_parser *parser);

/// Stable classes of parse failure.
enum { VJ_OK = 0, VJ_DEPTH = 1, VJ_UTF8 = 2, VJ_NUMBER = 3, VJ_CAPACITY = 4, VJ_SYNTAX = 5, VJ_MEMORY = 6 };
int vj_error_class(int code);

#ifdef __cplusplus
}
#endif
#endif
