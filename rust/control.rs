// SPDX-License-Identifier: GPL-2.0

//! The netlink family `palisade`, as specified in Documentation/netlink/specs/palisade.yaml.

mod change;
mod entries;
mod lists;
mod prelude;
mod rates;
mod rules;
mod servers;

use crate::{
    kernel_api::{
        net::netns,
        netlink::genetlink::{
            Family,
            Operation,
            Request, //
        },
    },
    namespace::Namespace,
    policies,
    spec::{
        self,
        command, //
    },
};
use kernel::{
    prelude::*,
    sync::ArcBorrow,
    ThisModule, //
};

/// Registers the family.
///
/// # Errors
///
/// `ENOMEM` if there is not enough memory, `EEXIST` if there is such a family already.
pub(crate) fn register(module: &'static ThisModule) -> Result<Family> {
    let mut operations = KVec::new();
    for operation in [
        Operation::dump::<rules::GetChains>(command::CHAIN_GET, &policies::CHAIN_GET_POLICY),
        Operation::dump::<rules::GetRules>(command::RULE_GET, &policies::RULE_GET_POLICY),
        Operation::action::<change::Change>(
            command::RULESET_CHANGE,
            &policies::RULESET_CHANGE_POLICY,
        ),
        Operation::action::<lists::Get>(command::LIST_GET, &policies::LIST_GET_POLICY),
        Operation::dump::<lists::GetAll>(command::LIST_GET, &policies::LIST_GET_DUMP_POLICY),
        Operation::action::<lists::Create>(command::LIST_CREATE, &policies::LIST_CREATE_POLICY),
        Operation::action::<lists::Destroy>(command::LIST_DESTROY, &policies::LIST_DESTROY_POLICY),
        Operation::action::<lists::Flush>(command::LIST_FLUSH, &policies::LIST_FLUSH_POLICY),
        Operation::dump::<entries::Get>(command::ENTRY_GET, &policies::ENTRY_GET_POLICY),
        Operation::action::<entries::Add>(command::ENTRY_ADD, &policies::ENTRY_ADD_POLICY),
        Operation::action::<entries::Delete>(command::ENTRY_DELETE, &policies::ENTRY_DELETE_POLICY),
        Operation::action::<lists::Set>(command::LIST_SET, &policies::LIST_SET_POLICY),
        Operation::dump::<servers::Get>(command::SERVER_GET, &policies::SERVER_GET_POLICY),
        Operation::dump::<rates::GetTables>(command::RATES_GET, &policies::RATES_GET_POLICY),
        Operation::dump::<rates::Get>(command::RATE_GET, &policies::RATE_GET_POLICY),
        Operation::action::<rates::Flush>(command::RATES_FLUSH, &policies::RATES_FLUSH_POLICY),
    ] {
        operations.push(operation, GFP_KERNEL)?;
    }
    Family::register(
        spec::FAMILY_NAME,
        spec::FAMILY_VERSION,
        operations,
        &spec::GROUP_NAMES,
        module,
    )
}

/// Palisade's state for the namespace of a request.
fn namespace<'a>(request: &Request<'a>) -> Result<ArcBorrow<'a, Namespace>> {
    netns::state::<Namespace>(request.namespace()).ok_or(ENODEV)
}
