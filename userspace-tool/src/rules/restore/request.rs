// SPDX-License-Identifier: GPL-2.0

//! The request for a file, and the line that an error of the kernel is about.

use nix::errno::Errno;

use super::{
    mistake::Mistake,
    plan::{Plan, Step},
};
use crate::{
    error::Error,
    netlink::{ExtAckError, TOO_LONG, Writer, spec::attribute::ruleset},
    rules::{
        execute::{explain::explain, session::Session},
        model::{chain::Chain, change::Change},
        wire,
    },
};

/// The request for a plan.
pub(super) struct Request<'a> {
    plan: &'a Plan,
    attributes: Writer,
    changes: Vec<EncodedChange<'a>>,
}

/// A change in the request.
struct EncodedChange<'a> {
    step: &'a Step,
    change: Change<'a>,
    /// The offset of its end.
    end: usize,
}

impl<'a> Request<'a> {
    pub(super) fn new(plan: &'a Plan) -> Result<Self, Mistake> {
        let mut attributes = Writer::without_labels();
        let mut encoded = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            for change in step.edit.changes(step.family) {
                wire::encode_change(&change, step.table, &mut attributes);
                if attributes.too_long() {
                    return Err(Mistake::Line(step.line, TOO_LONG.to_owned()));
                }
                encoded.push(EncodedChange {
                    step,
                    change,
                    end: attributes.len(),
                });
            }
        }
        Ok(Self {
            plan,
            attributes,
            changes: encoded,
        })
    }

    pub(super) fn send(mut self, session: &mut Session, test: bool) -> Result<(), Mistake> {
        if test {
            self.attributes.flag(ruleset::TEST);
        }
        match session.send(&self.attributes) {
            Ok(()) => Ok(()),
            Err(Error::Kernel(refusal)) => Err(self.blame(refusal, session)),
            Err(error) => Err(Mistake::Other(error)),
        }
    }

    /// Find the line that the kernel refused.
    fn blame(&self, refusal: ExtAckError, session: &mut Session) -> Mistake {
        let (index, refusal) = match refusal.offset {
            Some(offset) => {
                let index = self
                    .changes
                    .partition_point(|encoded| encoded.end <= offset);
                (Some(index), refusal)
            }
            None if refusal.is(Errno::EINVAL) || refusal.is(Errno::EMLINK) => {
                self.bisect(refusal, session)
            }
            None => (None, refusal),
        };
        let Some(encoded) = index.and_then(|index| self.changes.get(index)) else {
            return Mistake::File(refusal.to_string());
        };
        let refusal = ExtAckError {
            label: refusal
                .offset
                .and_then(|offset| self.label_at(offset, encoded)),
            ..refusal
        };
        let chains = self.chains_for(encoded);
        let error = explain(refusal, &encoded.change, encoded.step.table, &chains);
        Mistake::Line(encoded.step.line, error.to_string())
    }

    /// The label of the attribute at this offset.
    fn label_at(&self, offset: usize, encoded: &EncodedChange<'_>) -> Option<String> {
        let mut change = Writer::default();
        wire::encode_change(&encoded.change, encoded.step.table, &mut change);
        let start = encoded.end.checked_sub(change.len())?;
        change
            .label_at(offset.checked_sub(start)?)
            .map(str::to_owned)
    }

    /// Find the first change that makes the ruleset invalid as a whole, such as a jump that closes a loop, by
    /// bisection: the kernel tests the first changes of the request.
    fn bisect(&self, refusal: ExtAckError, session: &mut Session) -> (Option<usize>, ExtAckError) {
        let mut last = refusal;
        let (mut accepted, mut refused) = (0, self.changes.len());
        while refused - accepted > 1 {
            let middle = accepted + (refused - accepted) / 2;
            let end = self
                .changes
                .get(middle - 1)
                .map_or(0, |encoded| encoded.end);
            let mut beginning = self.attributes.head(end);
            beginning.flag(ruleset::TEST);
            match session.send(&beginning) {
                Ok(()) => accepted = middle,
                Err(Error::Kernel(refusal)) => (refused, last) = (middle, refusal),
                Err(_) => return (None, last),
            }
        }
        (refused.checked_sub(1), last)
    }

    /// The chains of the table that a message may suggest. A chain that the change names and that the kernel did
    /// not find comes further below in the file, if at all.
    fn chains_for(&self, encoded: &EncodedChange<'_>) -> Vec<Chain> {
        let target = encoded.change.rule.and_then(|rule| rule.target.as_deref());
        let target = target.map(|target| target.name());
        let chains = self.plan.chains.iter();
        chains
            .filter(|chain| chain.table == encoded.step.table)
            .filter(|chain| {
                let name = Some(chain.name.as_str());
                name != encoded.change.chain && name != target
            })
            .cloned()
            .collect()
    }
}
