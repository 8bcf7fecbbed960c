/// Matches text against a pattern in which `*` stands for any run of bytes and `?` for one.
/// - Complexity: O(text × pattern) at worst, without recursion: a hostile text can't make it explode.
public func matches(glob pattern: ByteView, _ text: ByteView) -> Bool {
    var p = 0
    var t = 0
    var star = -1
    var mark = 0
    while t < text.count {
        if p < pattern.count && pattern[p] == UInt8(ascii: "*") {
            star = p
            mark = t
            p += 1
        } else if p < pattern.count && (pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t]) {
            p += 1
            t += 1
        } else if star >= 0 {
            p = star + 1
            mark += 1
            t = mark
        } else {
            return false
        }
    }
    while p < pattern.count && pattern[p] == UInt8(ascii: "*") { p += 1 }
    return p == pattern.count
}
