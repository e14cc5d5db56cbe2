/// Escaping for HTML and URLs, and the check of UTF-8.
///
///     xhtml_escape, xhtml_unescape   text in HTML and in attribute values
///     url_escape, url_unescape       percent-encoding, in a query or in a path
///     squeeze                        runs of white space become one space
///     is_valid_utf8, replace_invalid_utf8
///
/// The `append_` forms add to a string that is already there, for templates and writers. Strings
/// are bytes that should hold UTF-8. All functions may be called from any thread.
///
/// Layer: base.   Tornado  `tornado.escape`.
#pragma once

#include <string>
#include <string_view>

namespace coronado {

/// Replace `& < > " '` by `&amp; &lt; &gt; &quot; &#x27;`.
///
/// Enough for text and for attribute values in quotes; not for script, style or a URL.
/// Tornado  `xhtml_escape`.
std::string xhtml_escape(std::string_view text);

/// Append `text` to `out`, escaped as by `xhtml_escape`.
void append_xhtml_escaped(std::string& out, std::string_view text);

/// The first character from `begin` on that `xhtml_escape` replaces; `end` if there is none.
const char* find_xhtml_special(const char* begin, const char* end) noexcept;

/// What `xhtml_escape` puts in the place of such a character: "&lt;".
std::string_view xhtml_reference(char special) noexcept;

/// Replace character references by what they stand for.
///
/// Numeric ones, `&#39;` and `&#x27;`, and the names of HTML 4 (`&amp;`, `&eacute;`, ...), each
/// with its semicolon. NUL, surrogates and numbers beyond Unicode become U+FFFD; 128 to 159 are
/// read as windows-1252, as browsers do. What is not a reference stays as it is. Spec
/// HTML 13.2.5.80.   Tornado  `xhtml_unescape`, which knows the names of HTML 5 too.
std::string xhtml_unescape(std::string_view text);

/// Where escaped text goes.
enum class URLPart {
  kQuery,    ///< space is '+', '/' is escaped (Tornado's plus=True)
  kPath,     ///< space is %20, '/' is kept (Tornado's plus=False)
  kSegment,  ///< space is %20, '/' is escaped
};

/// Percent-encode all bytes but letters, digits and `- . _ ~`; see `URLPart` for space and slash.
/// Spec  RFC 3986 2.3.   Tornado  `url_escape(value, plus)`.
std::string url_escape(std::string_view text, URLPart part = URLPart::kQuery);

/// Append `text` to `out`, escaped as by `url_escape`.
void append_url_escaped(std::string& out, std::string_view text, URLPart part = URLPart::kQuery);

/// Undo `url_escape`. In a query '+' is a space, elsewhere it stays. A '%' that two hexadecimal
/// digits do not follow stays too. The result is bytes; use `is_valid_utf8` or
/// `replace_invalid_utf8` before it is shown as text.
/// Tornado  `url_unescape(value, encoding=None, plus)`.
std::string url_unescape(std::string_view text, URLPart part = URLPart::kQuery);

/// Append `text` to `out`, unescaped as by `url_unescape`.
void append_url_unescaped(std::string& out, std::string_view text, URLPart part = URLPart::kQuery);

/// Replace each run of characters up to U+0020 by one space, and drop it at both ends.
/// Tornado  `squeeze`.
std::string squeeze(std::string_view text);

/// Whether `text` is UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF.
/// Spec  RFC 3629
bool is_valid_utf8(std::string_view text) noexcept;

/// Replace each part of `text` that is not UTF-8 by U+FFFD, one for each maximal wrong start.
/// Spec  Unicode 3.9, "substitution of maximal subparts"; as Python's errors="replace".
std::string replace_invalid_utf8(std::string_view text);

/// Append the UTF-8 form of a code point; U+FFFD for a surrogate or a number beyond U+10FFFF.
void append_utf8(std::string& out, char32_t code_point);

}  // namespace coronado
