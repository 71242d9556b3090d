// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of addresses and masks.

use crate::packet::{
    Address,
    Family, //
};
use kernel::prelude::*;

#[kunit_tests(palisade_addresses)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() -> Result {
        let (family, address) = Address::from_bytes(&[192, 0, 2, 1]).ok_or(EINVAL)?;
        assert!(family == Family::Ipv4);
        let (bytes, length) = address.to_bytes(family);
        assert!(bytes[..length] == [192, 0, 2, 1]);

        let all: [u8; 16] = core::array::from_fn(|index| index as u8 + 1);
        let (family, address) = Address::from_bytes(&all).ok_or(EINVAL)?;
        assert!(family == Family::Ipv6);
        let (bytes, length) = address.to_bytes(family);
        assert_eq!(length, 16);
        assert!(bytes == all);
        Ok(())
    }

    #[test]
    fn other_lengths_are_no_addresses() {
        for length in [0, 1, 3, 5, 8, 15] {
            assert!(Address::from_bytes(&[0; 16][..length]).is_none());
        }
    }

    #[test]
    fn masks_keep_their_bits() -> Result {
        let parse = |bytes: &[u8]| {
            Address::from_bytes(bytes)
                .map(|(_, address)| address)
                .ok_or(EINVAL)
        };
        let address = parse(&[10, 1, 2, 3])?;
        assert!(address.masked(&parse(&[255, 255, 0, 0])?) == parse(&[10, 1, 0, 0])?);
        assert!(address.masked(&parse(&[255, 255, 255, 254])?) == parse(&[10, 1, 2, 2])?);
        assert!(address.masked(&parse(&[255, 0, 255, 0])?) == parse(&[10, 0, 2, 0])?);
        assert!(address.masked(&Address::full_mask(Family::Ipv4)) == address);
        assert!(address.masked(&parse(&[0; 4])?) == parse(&[0; 4])?);
        let mut wide = [0xff; 16];
        wide[9] = 0xf0;
        let mut mask = [0xff; 16];
        mask[9] = 0x80;
        let mut masked = wide;
        masked[9] = 0x80;
        assert!(parse(&wide)?.masked(&parse(&mask)?) == parse(&masked)?);
        Ok(())
    }
}
