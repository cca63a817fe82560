//! The numbers of a vector, where they must be read: for base64, and to make its length 1.

/// The numbers, at 32 bits each; `None` if one of them is none.
pub(crate) fn read(vector: &str) -> Option<Vec<f32>> {
    let inner = vector.trim().strip_prefix('[')?.strip_suffix(']')?;
    // About as many as vectors' numbers have digits.
    let mut numbers = Vec::with_capacity(inner.len() / 10);
    let mut rest = inner;
    while !rest.is_empty() {
        let (number, length) = short(rest.as_bytes()).or_else(|| by_standard(rest))?;
        numbers.push(number);
        rest = match &rest[length..] {
            "" => "",
            // Nothing must follow a comma but another number.
            more => Some(more.strip_prefix(',')?).filter(|more| !more.is_empty())?,
        };
    }
    Some(numbers)
}

/// Makes a vector's length 1, if it has any.
pub(crate) fn normalize(numbers: &mut [f32]) {
    let squares: f64 = numbers.iter().map(|number| f64::from(*number).powi(2)).sum();
    let length = squares.sqrt();
    if length > 0.0 {
        for number in numbers {
            *number = single(f64::from(*number) / length);
        }
    }
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// The number that `text` begins with, and its length, if it is of the usual kind: some digits, a point, more digits, fifteen
/// at most. It is then a whole number below 2^53 by a power of ten, both of which a double holds exactly, so that one
/// division gives the nearest double (Clinger 1990).
fn short(text: &[u8]) -> Option<(f32, usize)> {
    const MOST_DIGITS: usize = 15;
    let is_negative = text.first() == Some(&b'-');
    let (mut whole, mut digits, mut decimals, mut at) = (0_u64, 0, 0, usize::from(is_negative));
    let mut step = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'0'..=b'9' => {
                whole = whole * 10 + u64::from(byte - b'0');
                digits += 1;
                decimals += step;
                if digits > MOST_DIGITS {
                    return None;
                }
            }
            b'.' if step == 0 && digits > 0 => step = 1,
            b',' => break,
            _ => return None,
        }
        at += 1;
    }
    if digits == 0 || decimals < step {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let number = whole as f64 / POWERS[decimals];
    Some((single(if is_negative { -number } else { number }), at))
}

/// The number that `text` begins with, and its length.
fn by_standard(text: &str) -> Option<(f32, usize)> {
    let number = text.split(',').next()?;
    let read: f64 = number.trim_ascii().parse().ok()?;
    read.is_finite().then(|| (single(read), number.len()))
}

/// At 32 bits, as a client has it that makes 32-bit numbers of what it has read.
#[expect(clippy::cast_possible_truncation, reason = "what the format holds")]
fn single(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arrays_are_read_or_they_are_none() {
        assert_eq!(read("[]"), Some(Vec::new()));
        assert_eq!(read("[ 0.5,\n-2 , 1e-3]"), Some(vec![0.5, -2.0, 0.001]));
        for wrong in [
            "[1,]", "[,]", "[1 2]", "[-]", "[1.2.3]", "[0x1]", "1", "[1", "[1e999]", "[e]",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lengths_become_one_where_there_is_one() {
        let mut numbers = [3.0, -4.0];
        normalize(&mut numbers);
        assert_eq!(numbers, [0.6, -0.8]);
        let mut nothing = [0.0, 0.0];
        normalize(&mut nothing);
        assert_eq!(nothing, [0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(number in any::<f32>().prop_filter("JSON has no other", |n| n.is_finite())) {
            prop_assert_eq!(read(&format!("[{number}]")), Some(vec![number]));
            prop_assert_eq!(read(&format!("[1,{number:e}, 2]")), Some(vec![1.0, number, 2.0]));
        }

        #[test]
        fn so_are_those_with_more_digits(text in "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,18}") {
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(read(&format!("[{text},{text}]")), Some(vec![expected as f32; 2]));
        }
    }
}
