// SPDX-License-Identifier: GPL-2.0

//! Targets and matches of iptables that Palisade lacks. They get a message of their own, so that they are not taken
//! for misspellings, nor their options for options of something else.

/// The advice in their messages.
pub(crate) const KEEP: &str = "keep iptables or nftables for it";

static TARGETS: &str = "\
    AUDIT CHECKSUM CLASSIFY CLUSTERIP CONNMARK CONNSECMARK DNPT DSCP ECN HL HMARK IDLETIMER \
    LED NETMAP NFLOG NFQUEUE QUEUE RATEEST SECMARK SET SNPT TCPOPTSTRIP TEE \
    TOS TPROXY TTL ULOG";

static MATCHES: &str = "\
    ah bpf cgroup cluster connbytes connlabel connmark cpu dccp devgroup dscp dst ecn esp \
    eui64 frag geoip hbh helper ipcomp ipv6header ipvs mac mh \
    nfacct osf owner physdev pkttype policy quota rateest realm rpfilter rt sctp set socket srh \
    statistic tcpmss time tos u32";

/// Options of iptables' target of this name that Palisade's do not have.
static TARGET_OPTIONS: (&str, &str) = (
    "CT",
    "helper ctevents expevents zone zone-orig zone-reply timeout",
);

/// Options of iptables' match of this name that Palisade's do not have.
static MATCH_OPTIONS: (&str, &str) = (
    "conntrack",
    "ctproto ctorigsrc ctorigdst ctreplsrc ctrepldst ctorigsrcport ctorigdstport \
     ctreplsrcport ctrepldstport ctstatus ctexpire ctdir",
);

fn has(words: &str, name: &str) -> bool {
    words.split_whitespace().any(|word| word == name)
}

/// Whether iptables has a target of this name, which Palisade lacks.
pub(crate) fn is_target(name: &str) -> bool {
    has(TARGETS, name)
}

/// Whether iptables has a match of this name, which Palisade lacks.
pub(crate) fn is_match(name: &str) -> bool {
    has(MATCHES, name)
}

/// Whether iptables' target or match of this name has that option, which Palisade's lacks.
pub(crate) fn is_option(extension: &str, option: &str) -> bool {
    [TARGET_OPTIONS, MATCH_OPTIONS]
        .iter()
        .any(|(name, options)| *name == extension && has(options, option))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{matches, targets};

    #[test]
    fn nothing_that_there_is_is_foreign() {
        for kind in targets::ALL {
            assert!(!is_target(kind.name), "{}", kind.name);
        }
        for kind in matches::ALL {
            assert!(!is_match(kind.name), "{}", kind.name);
        }
        for kind in matches::ALL.iter().chain(targets::ALL) {
            let mut names = kind.options.iter().flat_map(|option| option.all_names());
            assert!(
                names.all(|name| !is_option(kind.name, name)),
                "{}",
                kind.name
            );
        }
    }
}
