//! What minijinja's parser has otherwise than Jinja's with transformers' extension, put into its terms.
//!
//! `{% generation %}` marks what the assistant said, for training. It has a scope of its own, as `{% with %}` has. And
//! the line end after `{% raw %}` is text, though trim_blocks takes it away after every other tag.

/// The bytes of `text` up to and with `end`, which may stand in string literals where `quotes` counts them.
fn length_to(text: &str, end: &str, quotes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(end.as_bytes()) {
            return at + end.len();
        }
        if quotes && (bytes[at] == b'"' || bytes[at] == b'\'') {
            at = literal_end(bytes, at);
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The byte after the string literal that starts at `start`.
fn literal_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != bytes[start] {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The tag's name and what stands before and after it, where the tag says nothing else.
fn bare_name(tag: &str) -> Option<(&str, &str, &str)> {
    let inside = tag.strip_prefix("{%")?.strip_suffix("%}")?;
    let name = inside.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+');
    let is_name = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphabetic());
    let at = tag.find(name)?;
    is_name.then(|| (&tag[..at], name, &tag[at + name.len()..]))
}

/// The bytes from a `{% raw %}` tag's end on that are text, its closing tag included.
fn raw_length(text: &str) -> usize {
    let blanks = |text: &str| text.len() - text.trim_start_matches(char::is_whitespace).len();
    for (at, _) in text.match_indices("{%") {
        let mut end = at + 2;
        end += usize::from(text[end..].starts_with(['-', '+']));
        end += blanks(&text[end..]);
        if !text[end..].starts_with("endraw") {
            continue;
        }
        end += "endraw".len();
        end += blanks(&text[end..]);
        end += usize::from(text[end..].starts_with(['-', '+']));
        if text[end..].starts_with("%}") {
            return end + 2;
        }
    }
    text.len()
}

/// Folding the constants of one expression takes time by the square of its length.
const LONGEST_TAG: usize = 16 * 1024;
const LONGEST_TEMPLATE: usize = 256 * 1024;

pub fn in_minijinja_terms(text: &str) -> Result<String, String> {
    if text.len() > LONGEST_TEMPLATE {
        return Err(format!("{} bytes are more than the {LONGEST_TEMPLATE} that a template may have", text.len()));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let length = match rest.as_bytes().get(1) {
            Some(b'{') => length_to(rest, "}}", true),
            Some(b'#') => length_to(rest, "#}", false),
            Some(b'%') => length_to(rest, "%}", true),
            _ => 1,
        };
        if length > LONGEST_TAG && !rest.starts_with("{#") {
            return Err(format!("a tag of {length} bytes, which may have {LONGEST_TAG}"));
        }
        let (tag, after) = rest.split_at(length);
        rest = after;
        match bare_name(tag) {
            Some((before, "generation", behind)) => out.extend([before, "with", behind]),
            Some((before, "endgeneration", behind)) => out.extend([before, "endwith", behind]),
            Some((_, "raw", _)) => {
                let (raw, after) = rest.split_at(raw_length(rest));
                let line_end = if raw.starts_with('\n') && !tag.ends_with("-%}") { "\n" } else { "" };
                out.extend([tag, line_end, raw]);
                rest = after;
            }
            _ => out.push_str(tag),
        }
    }
    out.push_str(rest);
    Ok(out)
}
