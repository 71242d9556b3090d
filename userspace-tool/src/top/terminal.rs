// SPDX-License-Identifier: GPL-2.0

//! The live view.

use std::{
    io, panic,
    time::{Duration, Instant},
};

use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use ratatui::{
    DefaultTerminal,
    crossterm::{
        cursor::Show,
        event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
        execute,
    },
};

use super::{state::State, view, watch::Watch};
use crate::error::Error;

/// How long a key alone is waited for, so that events are read before their socket is full.
const TICK: Duration = Duration::from_millis(200);

/// What somebody at the keyboard asked for.
enum Asked {
    Nothing,
    Redraw,
    Quit,
}

/// The terminal, which is as it was once this is gone. A panic restores it, too, by ratatui's hook.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> Result<Self, Error> {
        // Ratatui's hook for panics, which calls this one, leaves the cursor hidden.
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |information| {
            let _ = execute!(io::stdout(), Show);
            before(information);
        }));
        ratatui::try_init().map(Self).map_err(|error| {
            restore();
            failure(error)
        })
    }

    fn draw(&mut self, state: &State) -> Result<(), Error> {
        let drawn = self.0.draw(|frame| {
            let area = frame.area();
            view::draw(state, area, frame.buffer_mut());
        });
        drawn.map(drop).map_err(failure)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    // There may be no terminal any more.
    let _ = ratatui::try_restore();
}

fn failure(error: io::Error) -> Error {
    Error::Failure(format!("top: the terminal: {error}"))
}

/// The signals that end a program, as something to ask, so that the terminal is restored.
fn signals() -> Result<SignalFd, Error> {
    let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT]);
    let blocked = signals.thread_block();
    blocked
        .and_then(|()| SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK))
        .map_err(|error| failure(error.into()))
}

/// Show frames until somebody quits. `begin` starts the threads that there are, for which signals have to be blocked.
pub(super) fn run(
    begin: impl FnOnce() -> Result<Watch, Error>,
    interval: Duration,
) -> Result<(), Error> {
    let signals = signals()?;
    let mut watch = begin()?;
    watch.state.has_keys = true;
    let mut screen = Screen::open()?;
    let mut due = Instant::now() + interval;
    screen.draw(&watch.state)?;
    loop {
        let patience = due.saturating_duration_since(Instant::now()).min(TICK);
        let mut asked = match event::poll(patience).map_err(failure)? {
            true => answer(&event::read().map_err(failure)?, &mut watch),
            false => Asked::Nothing,
        };
        if !matches!(signals.read_signal(), Ok(None)) {
            asked = Asked::Quit;
        }
        let mut is_new = watch.collect();
        let now = Instant::now();
        if now >= due {
            watch.sample();
            is_new = true;
            // Frames that are late already are left out, and half of the time is the least that is left to others.
            due = (due + interval).max(Instant::now() + now.elapsed());
        }
        match asked {
            Asked::Quit => return Ok(()),
            Asked::Redraw => screen.draw(&watch.state)?,
            Asked::Nothing if is_new => screen.draw(&watch.state)?,
            Asked::Nothing => {}
        }
    }
}

fn answer(event: &Event, watch: &mut Watch) -> Asked {
    let key = match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        Event::Resize(..) => return Asked::Redraw,
        _ => return Asked::Nothing,
    };
    let step = match key {
        KeyEvent {
            code: KeyCode::Char('q' | 'Q') | KeyCode::Esc,
            ..
        } => return Asked::Quit,
        KeyEvent {
            code: KeyCode::Char('c'),
            modifiers: KeyModifiers::CONTROL,
            ..
        } => return Asked::Quit,
        KeyEvent { code, .. } => match code {
            KeyCode::Tab | KeyCode::Down | KeyCode::Right => 1,
            KeyCode::BackTab | KeyCode::Up | KeyCode::Left => -1,
            _ => return Asked::Nothing,
        },
    };
    watch.state.choose(step);
    watch.read_list();
    Asked::Redraw
}
