// SPDX-License-Identifier: GPL-2.0

//! The targets ACCEPT, DROP and RETURN.

use crate::{
    rules::prelude::*,
    spec, //
};

/// A verdict.
pub(crate) struct VerdictTarget(spec::Verdict);

impl PacketTarget for VerdictTarget {
    type Attributes = spec::Verdict;

    fn new<'a>(verdict: spec::Verdict, _: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        Ok(Self(verdict))
    }

    fn attributes(&self) -> &spec::Verdict {
        &self.0
    }

    #[inline]
    fn apply(&self, _packet: &mut Packet<'_>) -> Decision {
        match self.0 {
            spec::Verdict::Accept => Decision::Verdict(Verdict::Accept),
            spec::Verdict::Drop => Decision::Verdict(Verdict::Drop),
            spec::Verdict::Return => Decision::Return,
        }
    }
}
