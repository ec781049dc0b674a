//! The non-blocking form of whatever the host gave as standard input and output.
//!
//! Hosts written in Python or Rust give FIFOs, those on Node socket pairs. Terminals, files and everything
//! that is not Unix are served by threads of the runtime.

use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

/// The side that requests come from.
pub type StdioReader = Pin<Box<dyn AsyncRead + Send>>;
/// The side that replies go to.
pub type StdioWriter = Pin<Box<dyn AsyncWrite + Send>>;

/// Standard input and output. Must be called within a runtime that drives I/O.
#[must_use]
pub fn stdio() -> (StdioReader, StdioWriter) {
    #[cfg(unix)]
    let (reader, writer) = {
        use std::os::fd::AsFd as _;
        (unix::reader(std::io::stdin().as_fd()), unix::writer(std::io::stdout().as_fd()))
    };
    #[cfg(not(unix))]
    let (reader, writer): (Option<StdioReader>, Option<StdioWriter>) = (None, None);
    (
        reader.unwrap_or_else(|| Box::pin(tokio::io::stdin())),
        writer.unwrap_or_else(|| Box::pin(tokio::io::stdout())),
    )
}

#[cfg(unix)]
pub(super) mod unix {
    use std::io;
    use std::os::fd::BorrowedFd;

    use tokio::net::UnixStream;

    use super::{StdioReader, StdioWriter};

    /// The non-blocking reader of `fd`, if it is a socket or a FIFO.
    pub(in super::super) fn reader(fd: BorrowedFd<'_>) -> Option<StdioReader> {
        match socket(fd) {
            Ok(socket) => Some(Box::pin(socket)),
            Err(_) => fifo::reader(fd),
        }
    }

    /// The non-blocking writer of `fd`, if it is a socket or a FIFO.
    pub(in super::super) fn writer(fd: BorrowedFd<'_>) -> Option<StdioWriter> {
        match socket(fd) {
            Ok(socket) => Some(Box::pin(socket)),
            Err(_) => fifo::writer(fd),
        }
    }

    /// `fd` as a Unix socket. Asking for its address fails on everything else, before a flag is set.
    fn socket(fd: BorrowedFd<'_>) -> io::Result<UnixStream> {
        let stream = std::os::unix::net::UnixStream::from(fd.try_clone_to_owned()?);
        stream.local_addr()?;
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream)
    }

    /// FIFOs are opened again, so that the descriptors shared with other processes stay blocking.
    #[cfg(target_os = "linux")]
    mod fifo {
        use std::os::fd::{AsRawFd as _, BorrowedFd};

        use tokio::net::unix::pipe::OpenOptions;

        use super::super::{StdioReader, StdioWriter};

        /// How many bytes wait in a pipe for a client that reads: what Linux grants everyone. Images pass through
        /// the usual 64 KiB in a hundred small steps.
        const PIPE: usize = 1 << 20;

        pub(super) fn reader(fd: BorrowedFd<'_>) -> Option<StdioReader> {
            let receiver = OpenOptions::new().open_receiver(path(fd)).ok()?;
            Some(Box::pin(receiver))
        }

        pub(super) fn writer(fd: BorrowedFd<'_>) -> Option<StdioWriter> {
            let sender = OpenOptions::new().open_sender(path(fd)).ok()?;
            // A smaller pipe works as well.
            let _ = rustix::pipe::fcntl_setpipe_size(&sender, PIPE);
            Some(Box::pin(sender))
        }

        fn path(fd: BorrowedFd<'_>) -> String {
            format!("/proc/self/fd/{}", fd.as_raw_fd())
        }
    }

    /// Elsewhere a FIFO cannot be opened again by its number.
    #[cfg(not(target_os = "linux"))]
    mod fifo {
        use std::os::fd::BorrowedFd;

        use super::super::{StdioReader, StdioWriter};

        pub(super) const fn reader(_: BorrowedFd<'_>) -> Option<StdioReader> {
            None
        }

        pub(super) const fn writer(_: BorrowedFd<'_>) -> Option<StdioWriter> {
            None
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::{AsFd as _, AsRawFd as _};
    use std::os::unix::net::UnixStream;

    use super::unix::{reader, writer};

    #[tokio::test]
    async fn files_and_devices_are_left_to_the_runtimes_threads() {
        let file = tempfile::tempfile().unwrap();
        assert!(reader(file.as_fd()).is_none() && writer(file.as_fd()).is_none());
        let device = tokio::fs::File::open("/dev/null").await.unwrap();
        assert!(reader(device.as_fd()).is_none() && writer(device.as_fd()).is_none());
    }

    #[tokio::test]
    async fn a_socket_of_another_family_is_left_alone() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(reader(stream.as_fd()).is_none() && writer(stream.as_fd()).is_none());
    }

    #[tokio::test]
    async fn a_fifo_of_the_host_stays_blocking() {
        let (near, _far) = std::io::pipe().unwrap();
        let _reader = reader(near.as_fd()).unwrap();
        let path = format!("/proc/self/fdinfo/{}", near.as_raw_fd());
        let facts = tokio::fs::read_to_string(path).await.unwrap();
        let flags = facts.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        let nonblocking = 0o4000;
        assert_eq!(u32::from_str_radix(flags.trim(), 8).unwrap() & nonblocking, 0);
    }

    #[tokio::test]
    async fn socket_pairs_are_taken() {
        let (near, _far) = UnixStream::pair().unwrap();
        assert!(reader(near.as_fd()).is_some() && writer(near.as_fd()).is_some());
    }
}
