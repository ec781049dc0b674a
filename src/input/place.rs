//! The forms of a media string, told apart by its text alone.

use std::path::{Path, PathBuf};

use url::Url;

use crate::error::shorten;

/// The most bytes of a media string that an error repeats.
const SHOWN: usize = 200;

/// The most bytes of a `data:` URL that an error repeats: its header, never its data.
const SHOWN_DATA: usize = 80;

/// The longest path that systems take, in bytes (Linux and macOS; Windows in its long form takes more).
const LONGEST_PATH: usize = 4096;

/// From this length on, in bytes, text of base64's alphabet alone is no path.
const BARE_BASE64: usize = 256;

/// How the base64 of usual files begins: PNG, JPEG, GIF, RIFF, MP3 with tags, PDF.
const BASE64_STARTS: &[&str] = &["iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "SUQz", "JVBERi0"];

/// What a media string names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
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

/// Why a string names nothing, and what to give in its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) hint: &'static str,
}

const FORMS: &str = "give a path, a data: URL, an https:// URL, a venice://media/ URI or `last`";

fn wrong<T>(message: impl Into<String>, hint: &'static str) -> Result<T, Wrong> {
    Err(Wrong { message: message.into(), hint })
}

/// What `text` names. `home` is what `~` stands for.
pub(super) fn parse<'a>(text: &'a str, home: Option<&Path>) -> Result<Place<'a>, Wrong> {
    let text = text.trim();
    if text.is_empty() {
        return wrong("is empty", FORMS);
    }
    if text.eq_ignore_ascii_case("last") {
        return Ok(Place::Last);
    }
    match scheme(text).as_deref() {
        Some("data") => return Ok(Place::Data(text)),
        Some("file") => return file_url(text).map(Place::Path),
        Some("venice") => return media(text).map(Place::Media),
        Some("http" | "https") => return web(text).map(Place::Url),
        Some(scheme) => {
            let hint =
                if matches!(scheme, "sandbox" | "attachment" | "blob") { AWAY } else { FORMS };
            return wrong(format!("{scheme}: URLs cannot be read"), hint);
        }
        None => {}
    }
    if is_base64(text) {
        return wrong(
            "looks like base64 without a prefix",
            "put `data:image/png;base64,` (with the right type) before it, or better give a path or URL",
        );
    }
    path(text, home).map(Place::Path)
}

/// What to do with files that only the client can see.
const AWAY: &str = "this server cannot see the client's attachments: give an https:// URL, or a path on this machine";

/// The schemes that need no `//` after them.
const BARE_SCHEMES: &[&str] =
    &["data", "file", "http", "https", "venice", "sandbox", "attachment", "blob", "ftp"];

/// The longest scheme that is taken for one.
const LONGEST_SCHEME: usize = 20;

/// The scheme of a URL, in lower case. One letter and a colon are a Windows drive.
fn scheme(text: &str) -> Option<String> {
    let (name, rest) = text.split_once(':')?;
    let name = name.to_ascii_lowercase();
    let is_name = (2..=LONGEST_SCHEME).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_name && (rest.starts_with("//") || BARE_SCHEMES.contains(&name.as_str()))).then_some(name)
}

fn file_url(text: &str) -> Result<PathBuf, Wrong> {
    const HINT: &str =
        "write it as file:///home/me/a.png (Windows: file:///C:/a.png), or as a plain path";
    let Ok(url) = Url::parse(text) else {
        return wrong(format!("{} is not a file URL", shown(text)), HINT);
    };
    if url.host_str().is_some_and(|host| !host.is_empty() && host != "localhost") {
        return wrong(format!("{} names another machine", shown(text)), HINT);
    }
    if url.query().is_some() || url.fragment().is_some() {
        let hint = "in a file URL, write ? as %3F and # as %23, or give a plain path";
        return wrong(format!("{} holds a ? or #", shown(text)), hint);
    }
    match url.to_file_path() {
        Ok(path) if !holds_nul(&path) => Ok(path),
        _ => wrong(format!("{} names no file", shown(text)), HINT),
    }
}

fn media(text: &str) -> Result<String, Wrong> {
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
    wrong(format!("{} names no media", shown(text)), hint)
}

fn web(text: &str) -> Result<Url, Wrong> {
    match Url::parse(text) {
        Ok(url) => Ok(url),
        Err(error) => {
            wrong(format!("{} is not a URL: {error}", shown(text)), "give a whole https:// URL")
        }
    }
}

fn path(text: &str, home: Option<&Path>) -> Result<PathBuf, Wrong> {
    if text.contains('\0') {
        return wrong("holds a NUL character, which no path does", FORMS);
    }
    if text.len() > LONGEST_PATH {
        return wrong("is too long for a path", FORMS);
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
        (Some(_), None) => wrong("starts with ~, but there is no home", "give the whole path"),
    }
}

/// Base64 is long and of one alphabet. It may hold line ends; a path has dots or is shorter.
fn is_base64(text: &str) -> bool {
    let starts = BASE64_STARTS.iter().any(|start| text.starts_with(start));
    let least = if starts { BARE_BASE64 / 4 } else { BARE_BASE64 };
    text.len() >= least
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=-_".contains(&byte)
        })
}

fn holds_nul(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().contains(&0)
}

/// `text` as an error repeats it: short, and without characters that a terminal obeys.
pub(super) fn shown(text: &str) -> String {
    let mut text: String =
        text.chars().take(SHOWN * 2).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    shorten(&mut text, SHOWN);
    text
}

/// The header of a `data:` URL, as an error repeats it.
pub(super) fn shown_data(text: &str) -> String {
    let head = text.trim().split_once(',').map_or("data:", |(head, _)| head);
    let head: String = head.chars().filter(char::is_ascii_graphic).take(SHOWN_DATA - 10).collect();
    format!("{head},…")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Place<'_>, Wrong> {
        parse(text, Some(Path::new("/home/me")))
    }

    fn file(path: &str) -> Place<'_> {
        Place::Path(path.into())
    }

    #[test]
    fn every_form_is_told_from_the_others() {
        assert_eq!(parsed(" last\n"), Ok(Place::Last));
        assert_eq!(parsed("./last"), Ok(file("./last")));
        assert_eq!(parsed("a/b c.png"), Ok(file("a/b c.png")));
        assert_eq!(parsed("~/a.png"), Ok(file("/home/me/a.png")));
        assert_eq!(parsed("~//etc/passwd"), Ok(file("/home/me/etc/passwd")));
        assert_eq!(parsed("~other/a.png"), Ok(file("~other/a.png")));
        assert_eq!(parsed("12:30 shot.png"), Ok(file("12:30 shot.png")));
        assert_eq!(parsed("note:a.png"), Ok(file("note:a.png")));
        assert_eq!(parsed(r"C:\x\a.png"), Ok(file(r"C:\x\a.png")));
        assert_eq!(parsed(r"\\?\C:\x"), Ok(file(r"\\?\C:\x")));
        assert_eq!(parsed("DATA:,a"), Ok(Place::Data("DATA:,a")));
        assert_eq!(
            parsed("Venice://media/fox-1f"),
            Ok(Place::Media("venice://media/fox-1f".to_owned()))
        );
        assert!(matches!(parsed("HTTPS://example.com/a"), Ok(Place::Url(_))));
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
        assert_eq!(hints("sandbox:/mnt/data/a.png"), AWAY);
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
                prop_assert!(wrong.message.len() < 2 * SHOWN, "{}", wrong.message);
                prop_assert!(!wrong.message.contains('\n'));
            }
        }

        #[test]
        fn no_data_is_repeated(head in "data:[ -+--~]{0,300}", data in ".{0,300}") {
            let shown = shown_data(&format!("{head},{data}"));
            prop_assert!(shown.chars().count() <= SHOWN_DATA);
            prop_assert!(shown.starts_with("data:"));
        }
    }
}
