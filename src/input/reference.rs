//! The forms of a media string, recognized by its text alone.

use std::path::{Path, PathBuf};

use url::Url;

use crate::error::shorten;

/// The most bytes of a media string that an error repeats.
const MAX_QUOTED_BYTES: usize = 200;

/// The most bytes of a `data:` URL that an error repeats: its header, never its data.
const MAX_QUOTED_DATA_BYTES: usize = 80;

/// The longest path that systems take, in bytes (Linux and macOS; Windows in its long form takes more).
const MAX_PATH_BYTES: usize = 4096;

/// From this length on, in bytes, text in the base64 alphabet is not a path.
const MIN_BARE_BASE64_BYTES: usize = 256;

/// How the base64 of usual files begins: PNG, JPEG, GIF, RIFF, MP3 with tags, PDF.
const BASE64_STARTS: &[&str] = &["iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "SUQz", "JVBERi0"];

/// What a media string names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MediaReference<'a> {
    /// The newest stored item.
    Last,
    /// A stored item, by its URI.
    Media(String),
    /// A `data:` URL.
    Data(&'a str),
    /// A URL of the web.
    Url(Url),
    /// A file.
    Path(PathBuf),
}

/// Why a string does not name media, and what to give instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidReference {
    pub(super) message: String,
    pub(super) hint: &'static str,
}

const FORMS_HINT: &str =
    "give a path, a data: URL, an https:// URL, a venice://media/ URI or `last`";

fn invalid<T>(message: impl Into<String>, hint: &'static str) -> Result<T, InvalidReference> {
    Err(InvalidReference { message: message.into(), hint })
}

/// What `text` names. `home` is what `~` stands for.
pub(super) fn parse<'a>(
    text: &'a str,
    home: Option<&Path>,
) -> Result<MediaReference<'a>, InvalidReference> {
    let text = text.trim();
    if text.is_empty() {
        return invalid("is empty", FORMS_HINT);
    }
    if text.eq_ignore_ascii_case("last") {
        return Ok(MediaReference::Last);
    }
    match scheme(text).as_deref() {
        Some("data") => return Ok(MediaReference::Data(text)),
        Some("file") => return parse_file_url(text).map(MediaReference::Path),
        Some("venice") => return parse_media_uri(text).map(MediaReference::Media),
        Some("http" | "https") => return parse_web_url(text).map(MediaReference::Url),
        Some(scheme) => {
            let hint = if matches!(scheme, "sandbox" | "attachment" | "blob") {
                ATTACHMENT_HINT
            } else {
                FORMS_HINT
            };
            return invalid(format!("{scheme}: URLs cannot be read"), hint);
        }
        None => {}
    }
    if is_base64(text) {
        return invalid(
            "looks like base64 without a prefix",
            "put `data:image/png;base64,` (with the right type) before it, or better give a path or URL",
        );
    }
    parse_path(text, home).map(MediaReference::Path)
}

/// What to do with files that only the client can see.
const ATTACHMENT_HINT: &str = "this server cannot see the client's attachments: give an https:// URL, or a path on this machine";

/// The schemes that need no `//` after them.
const BARE_SCHEMES: &[&str] =
    &["data", "file", "http", "https", "venice", "sandbox", "attachment", "blob", "ftp"];

/// The longest scheme that is taken for one.
const MAX_SCHEME_CHARS: usize = 20;

/// The scheme of a URL, in lower case. One letter and a colon are a Windows drive.
fn scheme(text: &str) -> Option<String> {
    let (name, rest) = text.split_once(':')?;
    let name = name.to_ascii_lowercase();
    let is_name = (2..=MAX_SCHEME_CHARS).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_name && (rest.starts_with("//") || BARE_SCHEMES.contains(&name.as_str()))).then_some(name)
}

fn parse_file_url(text: &str) -> Result<PathBuf, InvalidReference> {
    const HINT: &str =
        "write it as file:///home/me/a.png (Windows: file:///C:/a.png), or as a plain path";
    let Ok(url) = Url::parse(text) else {
        return invalid(format!("{} is not a file URL", quoted(text)), HINT);
    };
    if url.host_str().is_some_and(|host| !host.is_empty() && host != "localhost") {
        return invalid(format!("{} names another machine", quoted(text)), HINT);
    }
    if url.query().is_some() || url.fragment().is_some() {
        let hint = "in a file URL, write ? as %3F and # as %23, or give a plain path";
        return invalid(format!("{} holds a ? or #", quoted(text)), hint);
    }
    match url.to_file_path() {
        Ok(path) if !holds_nul(&path) => Ok(path),
        _ => invalid(format!("{} names no file", quoted(text)), HINT),
    }
}

fn parse_media_uri(text: &str) -> Result<String, InvalidReference> {
    const PREFIX: &str = "venice://media/";
    let (head, id) = text.split_at_checked(PREFIX.len()).unwrap_or((text, ""));
    let is_id = |id: &str| {
        !id.is_empty()
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if head.eq_ignore_ascii_case(PREFIX) && is_id(id) {
        return Ok(format!("{PREFIX}{id}"));
    }
    let hint = "stored media are named venice://media/{id}; venice_media lists them";
    invalid(format!("{} names no media", quoted(text)), hint)
}

fn parse_web_url(text: &str) -> Result<Url, InvalidReference> {
    match Url::parse(text) {
        Ok(url) => Ok(url),
        Err(error) => {
            invalid(format!("{} is not a URL: {error}", quoted(text)), "give a whole https:// URL")
        }
    }
}

fn parse_path(text: &str, home: Option<&Path>) -> Result<PathBuf, InvalidReference> {
    if text.contains('\0') {
        return invalid("holds a NUL character, which no path does", FORMS_HINT);
    }
    if text.len() > MAX_PATH_BYTES {
        return invalid("is too long for a path", FORMS_HINT);
    }
    let below_home = match text.strip_prefix('~') {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix(['/', '\\']),
        None => None,
    };
    match (below_home, home) {
        (None, _) => Ok(PathBuf::from(text)),
        // Joining an absolute path would leave the home.
        (Some(rest), Some(home)) => Ok(home.join(rest.trim_start_matches(['/', '\\']))),
        (Some(_), None) => invalid("starts with ~, but there is no home", "give the whole path"),
    }
}

/// Base64 is long and of one alphabet. It may hold line ends; a path has dots or is shorter.
fn is_base64(text: &str) -> bool {
    let starts = BASE64_STARTS.iter().any(|start| text.starts_with(start));
    let least = if starts { MIN_BARE_BASE64_BYTES / 4 } else { MIN_BARE_BASE64_BYTES };
    text.len() >= least
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=-_".contains(&byte)
        })
}

fn holds_nul(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().contains(&0)
}

/// `text` as an error repeats it: short, and without characters that a terminal obeys.
pub(super) fn quoted(text: &str) -> String {
    let mut text: String = text
        .chars()
        .take(MAX_QUOTED_BYTES * 2)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    shorten(&mut text, MAX_QUOTED_BYTES);
    text
}

/// The header of a `data:` URL, as an error repeats it.
pub(super) fn quoted_data(text: &str) -> String {
    let head = text.trim().split_once(',').map_or("data:", |(head, _)| head);
    let head: String =
        head.chars().filter(char::is_ascii_graphic).take(MAX_QUOTED_DATA_BYTES - 10).collect();
    format!("{head},…")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<MediaReference<'_>, InvalidReference> {
        parse(text, Some(Path::new("/home/me")))
    }

    fn file(path: &str) -> MediaReference<'_> {
        MediaReference::Path(path.into())
    }

    #[test]
    fn every_form_is_recognized() {
        assert_eq!(parsed(" last\n"), Ok(MediaReference::Last));
        assert_eq!(parsed("./last"), Ok(file("./last")));
        assert_eq!(parsed("a/b c.png"), Ok(file("a/b c.png")));
        assert_eq!(parsed("~/a.png"), Ok(file("/home/me/a.png")));
        assert_eq!(parsed("~//etc/passwd"), Ok(file("/home/me/etc/passwd")));
        assert_eq!(parsed("~other/a.png"), Ok(file("~other/a.png")));
        assert_eq!(parsed("12:30 shot.png"), Ok(file("12:30 shot.png")));
        assert_eq!(parsed("note:a.png"), Ok(file("note:a.png")));
        assert_eq!(parsed(r"C:\x\a.png"), Ok(file(r"C:\x\a.png")));
        assert_eq!(parsed(r"\\?\C:\x"), Ok(file(r"\\?\C:\x")));
        assert_eq!(parsed("DATA:,a"), Ok(MediaReference::Data("DATA:,a")));
        assert_eq!(
            parsed("Venice://media/fox-1f"),
            Ok(MediaReference::Media("venice://media/fox-1f".to_owned()))
        );
        assert!(matches!(parsed("HTTPS://example.com/a"), Ok(MediaReference::Url(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_url_is_decoded_and_stays_on_this_machine() {
        assert_eq!(parsed("file:///a/b%20c.png"), Ok(file("/a/b c.png")));
        assert_eq!(parsed("file://localhost/a"), Ok(file("/a")));
        assert_eq!(parsed("file:///C:/a.png"), Ok(file("/C:/a.png")));
        assert_eq!(parsed("file:///a/%2e%2e/b"), Ok(file("/b")));
        assert_eq!(parsed("file:///a/..%2Fb"), Ok(file("/a/../b")));
        for text in ["file://host/a", "file:///a%00b", "file:///a#1.png", "file:///a?b", "file://["]
        {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_names_nothing_says_what_to_give() {
        let hints = |text: &str| parsed(text).unwrap_err().hint;
        assert!(hints(&format!("/9j/{}", "4AAQ".repeat(20))).contains("data:image/png;base64,"));
        assert!(hints(&"QUJD\n".repeat(100)).contains("data:image/png;base64,"));
        assert_eq!(hints("sandbox:/mnt/data/a.png"), ATTACHMENT_HINT);
        assert!(hints("venice://models/image").contains("venice://media/{id}"));
        assert!(hints("venice://media/a/../b").contains("venice://media/{id}"));
        for text in ["", " \n", "ftp://a/b", "s3://a/b", "https://", "http://[", "a\0b"] {
            assert!(parsed(text).is_err(), "{text:?}");
        }
        assert!(parse("~/a", None).is_err());
        assert!(parsed(&"a.".repeat(4000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics_or_is_repeated_at_length(text in ".{0,600}") {
            if let Err(wrong) = parse(&text, Some(Path::new("/home/me"))) {
                prop_assert!(wrong.message.len() < 2 * MAX_QUOTED_BYTES, "{}", wrong.message);
                prop_assert!(!wrong.message.contains('\n'));
            }
        }

        #[test]
        fn no_data_is_repeated(head in "data:[ -+--~]{0,300}", data in ".{0,300}") {
            let shown = quoted_data(&format!("{head},{data}"));
            prop_assert!(shown.chars().count() <= MAX_QUOTED_DATA_BYTES);
            prop_assert!(shown.starts_with("data:"));
        }
    }
}
