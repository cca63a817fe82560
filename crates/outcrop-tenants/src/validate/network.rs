//! Networks, as they are written: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`.

use std::net::IpAddr;

/// Checks that a text is a network or an address.
pub(super) fn check(text: &str) -> Result<(), String> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address
        .parse()
        .map_err(|_| "must be an IP address or a network such as '10.0.0.0/8'".to_owned())?;
    if matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
        return Err("must be written as IPv4".to_owned());
    }
    let (bits, longest) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let length = match length {
        None => longest,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
            .parse::<u32>()
            .ok()
            .filter(|length| *length <= longest)
            .ok_or_else(|| format!("must have a prefix of 0 to {longest} bits"))?,
        Some(_) => return Err("must have a number behind its '/'".to_owned()),
    };
    let beyond = bits.checked_shl(length).unwrap_or_default();
    if beyond != 0 {
        return Err("has bits set beyond its prefix".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn networks_are_told_from_other_texts() {
        for good in [
            "10.0.0.0/8",
            "192.0.2.7",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/32",
            "::1",
            "192.0.2.7/32",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
            "::1/64",
            "::/129",
            "::ffff:10.0.0.1",
            "localhost",
            "10.0.0.0/99999999999",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
