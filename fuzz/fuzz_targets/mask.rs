//! Any bytes as a mask: converted or refused, never a panic; what is converted is a PNG of the mask's size.
#![no_main]

use libfuzzer_sys::fuzz_target;
use outcrop_translate::openai::images::{Shade, black_and_white};

fuzz_target!(|bytes: &[u8]| {
    let mask = bytes::Bytes::copy_from_slice(bytes);
    match black_and_white(&mask, None, Shade::Black) {
        Ok(converted) => assert_eq!(converted[16..24], bytes[16..24]),
        Err(problem) => assert_eq!((problem.status, problem.param.as_deref()), (400, Some("mask"))),
    }
});
