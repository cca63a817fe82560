//! Finding the end of a string, many bytes at a time.

/// The end of the run of bytes from `at` on that need no second look inside a string: all but the quote, the
/// backslash and control characters. Eight bytes at a time for the short strings of schemas and the short lines of code,
/// and blocks that the compiler turns into vector code for the long runs of prose and images.
pub(super) fn plain_run_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        for _ in 0..4 {
            let Some(word) = bytes.get(at..at + 8).and_then(|word| word.try_into().ok()) else {
                let rest = bytes[at..].iter().position(|&byte| is_special(byte));
                return rest.map_or(bytes.len(), |length| at + length);
            };
            let hits = special_bytes(u64::from_le_bytes(word));
            if hits != 0 {
                return at + (hits.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        while let Some(block) = bytes.get(at..at + 64)
            && !block.iter().fold(false, |found, &byte| found | is_special(byte))
        {
            at += 64;
        }
    }
}

fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// The high bit of each byte of the word that is special; bits above the first hit may be wrong, as borrows travel up.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (controls | zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64))) & HIGHS
}

pub(super) fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits
        .iter()
        .try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}
