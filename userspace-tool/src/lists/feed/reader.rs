// SPDX-License-Identifier: GPL-2.0

//! Lines as they come, with the pauses between them.

use std::{
    io::{self, Read},
    os::fd::AsFd,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
};

/// Bytes that are asked for at once.
const READ_LENGTH: usize = 65_536;

/// Longer lines are refused.
const LINE_LENGTH_MAX: usize = 65_536;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A line without its end.
    Line(Vec<u8>),
    TooLong,
    /// There is nothing more at present.
    Pause,
    /// The input has ended, or the process is to end.
    End,
}

/// Reads lines until the input ends, or a signal asks for that.
pub(super) struct Reader<T> {
    input: T,
    signals: SignalFd,
    buffer: Vec<u8>,
    /// What comes before was read.
    start: usize,
    /// The line is longer than allowed, and what was read of it is gone.
    is_too_long: bool,
    has_ended: bool,
}

impl<T: Read + AsFd> Reader<T> {
    /// From here on the signals that end a process end the input.
    pub(super) fn new(input: T) -> io::Result<Self> {
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            signals.add(signal);
        }
        signals.thread_block()?;
        Ok(Self {
            input,
            signals: SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)?,
            buffer: Vec::new(),
            start: 0,
            is_too_long: false,
            has_ended: false,
        })
    }

    /// The next event; a pause only if it is asked for.
    pub(super) fn next(&mut self, tell_pause: bool) -> io::Result<Event> {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.get(..length).unwrap_or_default().to_vec();
                self.start += length + 1;
                return Ok(self.line(line));
            }
            let rest = rest.to_vec();
            self.start = 0;
            if self.has_ended {
                self.buffer.clear();
                return Ok(match rest.is_empty() && !self.is_too_long {
                    true => Event::End,
                    false => self.line(rest),
                });
            }
            self.is_too_long |= rest.len() > LINE_LENGTH_MAX;
            self.buffer = if self.is_too_long { Vec::new() } else { rest };
            if !self.read(tell_pause)? {
                return Ok(Event::Pause);
            }
        }
    }

    fn line(&mut self, line: Vec<u8>) -> Event {
        match std::mem::take(&mut self.is_too_long) || line.len() > LINE_LENGTH_MAX {
            true => Event::TooLong,
            false => Event::Line(line),
        }
    }

    /// Read on. Returns false if there is nothing to read, and that is to be told.
    fn read(&mut self, tell_pause: bool) -> io::Result<bool> {
        let timeout = match tell_pause {
            true => PollTimeout::ZERO,
            false => PollTimeout::NONE,
        };
        let mut files = [
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.input.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut files, timeout) {
            Ok(0) => return Ok(false),
            Err(Errno::EINTR) => return Ok(true),
            result => result?,
        };
        let [signals, _] = files.map(|file| file.any().unwrap_or(true));
        if signals {
            self.has_ended = true;
            return Ok(true);
        }
        let before = self.buffer.len();
        self.buffer.resize(before + READ_LENGTH, 0);
        let read = self
            .input
            .read(self.buffer.get_mut(before..).unwrap_or_default());
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(length) => self.has_ended = length == 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::net::UnixStream};

    use super::*;

    fn line(text: &str) -> Event {
        Event::Line(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_come_at_once_and_pauses_between_them() {
        let (input, mut feeder) = UnixStream::pair().unwrap();
        let mut reader = Reader::new(input).unwrap();
        assert_eq!(reader.next(true).unwrap(), Event::Pause);
        feeder.write_all(b"one\n\ntw").unwrap();
        assert_eq!(reader.next(true).unwrap(), line("one"));
        assert_eq!(reader.next(true).unwrap(), line(""));
        assert_eq!(reader.next(true).unwrap(), Event::Pause);
        feeder.write_all(b"o\nthree").unwrap();
        assert_eq!(reader.next(true).unwrap(), line("two"));
        drop(feeder);
        assert_eq!(reader.next(false).unwrap(), line("three"));
        assert_eq!(reader.next(false).unwrap(), Event::End);
        assert_eq!(reader.next(true).unwrap(), Event::End);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let (input, mut feeder) = UnixStream::pair().unwrap();
        let mut reader = Reader::new(input).unwrap();
        let writer = std::thread::spawn(move || {
            feeder.write_all(&[b'x'; 3 * LINE_LENGTH_MAX]).unwrap();
            feeder.write_all(b"\nnext\n").unwrap();
            feeder.write_all(&[b'x'; 2 * LINE_LENGTH_MAX]).unwrap();
        });
        assert_eq!(reader.next(false).unwrap(), Event::TooLong);
        assert_eq!(reader.next(false).unwrap(), line("next"));
        assert_eq!(reader.next(false).unwrap(), Event::TooLong);
        assert_eq!(reader.next(false).unwrap(), Event::End);
        writer.join().unwrap();
    }
}
