//! Paths as text: what is below what, and what is never read. Nothing here touches the disk.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf, Prefix};

/// `path` without `.` and `..`. A `..` at the root stays there.
pub(super) fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// What of `path` is below `directory`; both normal and absolute.
pub(super) fn below(directory: &Path, path: &Path) -> Option<PathBuf> {
    let mut rest = path.components();
    for expected in directory.components() {
        if !same(expected, rest.next()?) {
            return None;
        }
    }
    Some(rest.as_path().to_owned())
}

/// Windows takes names in any case, and writes a drive in two ways.
fn same(a: Component<'_>, b: Component<'_>) -> bool {
    if let (Component::Prefix(a), Component::Prefix(b)) = (a, b) {
        return match (a.kind(), b.kind()) {
            (
                Prefix::Disk(a) | Prefix::VerbatimDisk(a),
                Prefix::Disk(b) | Prefix::VerbatimDisk(b),
            ) => a.eq_ignore_ascii_case(&b),
            (
                Prefix::UNC(a, c) | Prefix::VerbatimUNC(a, c),
                Prefix::UNC(b, d) | Prefix::VerbatimUNC(b, d),
            ) => a.eq_ignore_ascii_case(b) && c.eq_ignore_ascii_case(d),
            _ => false,
        };
    }
    a == b || cfg!(windows) && a.as_os_str().eq_ignore_ascii_case(b.as_os_str())
}

/// Whether `relative` holds a name that is never read: a dotfile, or one that Windows reads as something else.
pub(super) fn is_hidden(relative: &Path) -> bool {
    relative.components().any(|component| match component {
        Component::Normal(name) => {
            name.as_encoded_bytes().starts_with(b".") || cfg!(windows) && is_odd_on_windows(name)
        }
        _ => true,
    })
}

/// A stream of a file (`a:b`), a short name that may stand for a dotfile (`VENICE~1`), a device (`NUL.txt`), or a
/// name whose end Windows drops.
fn is_odd_on_windows(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let is_port = |head: &str| {
        stem.strip_prefix(head).is_some_and(|digit| digit.chars().count() == 1 && digit != "0")
    };
    let is_short = stem
        .rsplit_once('~')
        .is_some_and(|(_, tail)| !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()));
    name.contains(':')
        || name.ends_with(['.', ' '])
        || is_short
        || matches!(stem, "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || is_port("com")
        || is_port("lpt")
}

/// Directories of the system. What is below one is the system's too, but for [`NOT_SYSTEM`].
const SYSTEM: &[&str] = &[
    "/applications",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libexec",
    "/library",
    "/nix/store",
    "/private/etc",
    "/private/var",
    "/proc",
    "/program files",
    "/program files (x86)",
    "/programdata",
    "/run",
    "/sbin",
    "/sys",
    "/system",
    "/usr",
    "/var",
    "/windows",
];

/// Directories below those of the system whose contents people put there.
const NOT_SYSTEM: &[&str] = &[
    "/private/var/folders",
    "/private/var/tmp",
    "/run/media",
    "/usr/src",
    "/var/folders",
    "/var/home",
    "/var/tmp",
    "/var/www",
];

/// The directories that hold homes.
const HOMES: &[&str] = &["/home", "/users", "/var/home"];

/// Whether everything below `directory` is too much to read from: a root, a home or what holds homes, or a
/// directory of the system. `home` is the user's.
pub(super) fn is_sensitive(directory: &Path, home: Option<&Path>) -> bool {
    let is_home = home.is_some_and(|home| below(directory, home).is_some());
    is_home || is_sensitive_name(&plain(&directory.to_string_lossy()))
}

/// A path in lower case with `/` between its parts and without its drive: `c:\Windows` is `/windows`.
fn plain(path: &str) -> String {
    let path = path.to_ascii_lowercase().replace('\\', "/");
    let path = path.strip_prefix("//?/").unwrap_or(&path);
    let path = match path.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 => rest,
        _ => path,
    };
    path.trim_end_matches('/').to_owned()
}

fn is_sensitive_name(path: &str) -> bool {
    let inside = |parent: &str| path.strip_prefix(parent).and_then(|rest| rest.strip_prefix('/'));
    let of_system = SYSTEM.iter().any(|parent| path == *parent || inside(parent).is_some());
    let excepted = NOT_SYSTEM.iter().any(|parent| inside(parent).is_some());
    let of_homes = HOMES
        .iter()
        .any(|homes| path == *homes || inside(homes).is_some_and(|name| !name.contains('/')));
    path.is_empty() || path == "/root" || of_homes || of_system && !excepted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn roots_homes_and_the_system_are_sensitive() {
        let home = Some(Path::new("/srv/people/me"));
        for directory in [
            "/",
            "/srv",
            "/srv/people",
            "/srv/people/me",
            "/home",
            "/home/you",
            "/Users/you/",
            "/root",
            "/etc",
            "/etc/ssl",
            "/usr/bin",
            "/var/log",
            "/proc/1",
            "/private/etc",
            "/var/home/you",
            "/var/tmp",
            r"C:\",
            "c:",
            r"\\?\C:\",
            r"C:\Windows\System32",
            r"C:\Program Files\Claude",
            r"D:\Users\me",
        ] {
            assert!(is_sensitive(Path::new(directory), home), "{directory}");
        }
        for directory in [
            "/srv/people/me/project",
            "/home/you/project",
            "/usr/src/app",
            "/var/folders/a/T",
            "/tmp",
            "/workspace",
            "/etcetera",
            r"C:\Users\me\project",
            r"C:\work",
        ] {
            assert!(!is_sensitive(Path::new(directory), home), "{directory}");
        }
    }

    #[test]
    fn dots_are_resolved_before_paths_are_compared() {
        let inside = |path: &str| below(Path::new("/a/b"), &normalize(Path::new(path)));
        assert_eq!(inside("/a/b/c/./d"), Some("c/d".into()));
        assert_eq!(inside("/a/b/c/../d"), Some("d".into()));
        assert_eq!(inside("/../a/b"), Some("".into()));
        for path in ["/a/b/../c", "/a/bc", "/a", "/a/b/../../etc/passwd", "a/b/c", "/"] {
            assert_eq!(inside(path), None, "{path}");
        }
    }

    #[test]
    fn dotfiles_are_hidden_at_any_depth() {
        for path in [".env", "a/.ssh/key", ".git/config", "a/.b", "../a", "/a"] {
            assert!(is_hidden(Path::new(path)), "{path}");
        }
        for path in ["", "a", "a.b/c", "a/b..png"] {
            assert!(!is_hidden(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn names_that_windows_reads_otherwise_are_odd() {
        for name in [
            "a.png:s",
            "a.png.",
            "a ",
            "VENICE~1",
            "a~12.png",
            "NUL",
            "nul.txt",
            "Com1.a",
            "lpt\u{b9}",
        ] {
            assert!(is_odd_on_windows(OsStr::new(name)), "{name}");
        }
        for name in ["a.png", "null.png", "com.png", "com10", "a~b.png", "console"] {
            assert!(!is_odd_on_windows(OsStr::new(name)), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_below_never_climbs(path in "(/|\\.|\\.\\.|[a-c ]|/a/b/){0,12}") {
            let absolute = Path::new("/a/b").join(path);
            if let Some(rest) = below(Path::new("/a/b"), &normalize(&absolute)) {
                prop_assert!(rest.components().all(|part| matches!(part, Component::Normal(_))));
            }
        }
    }
}
