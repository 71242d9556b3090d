// SPDX-License-Identifier: GPL-2.0

//! `-j TCPMSS`: lower the maximum segment size that a SYN announces.

use crate::{
    fields::nest,
    netlink::spec::attribute::target,
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        options::{is, number, options},
        protocol,
    },
};

/// The target `TCPMSS`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "lower the maximum segment size that a SYN announces",
    options: options!(Tcpmss {
        [] "set-mss": "N" => mss: number(1, u16::MAX as u32), "to this many bytes";
        [] "clamp-mss-to-pmtu" => clamp_to_pmtu: is(true),
            "to what fits into the MTU of the packet's route, and of the route back; \
             in FORWARD, OUTPUT and POSTROUTING";
    }),
    protocols: &[("tcp", protocol::TCP)],
    notes: "\
An MSS that is smaller already stays. The rule has to be for SYNs: -p tcp --syn, or --tcp-flags SYN,RST SYN,
which takes SYN-ACKs as well.
",
    examples: &["-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"],
    ..ExtensionType::nested::<Tcpmss>("TCPMSS", target::TCPMSS)
};

nest! {
    struct Tcpmss: tcpmss {
        mss: Option<u16> = MSS => "--set-mss";
        clamp_to_pmtu: bool = CLAMP_TO_PMTU => "--clamp-mss-to-pmtu";
    }
}

impl Extension for Tcpmss {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
        match (self.mss, self.clamp_to_pmtu) {
            (None, false) => Err("needs --set-mss or --clamp-mss-to-pmtu".to_owned()),
            (Some(_), true) => Err(
                "takes --set-mss or --clamp-mss-to-pmtu, not both: give a second rule".to_owned(),
            ),
            _ => Ok(()),
        }
    }

    fn list(&self) -> String {
        match self.mss {
            Some(mss) => format!(" TCPMSS set {mss}"),
            None => " TCPMSS clamp to PMTU".to_owned(),
        }
    }
}
