//! The marks by which clients ask for a cache point: Anthropic's and LiteLLM's `cache_control`, OpenAI's
//! `prompt_cache_breakpoint`.

use outcrop_bedrock::converse::CacheTtl;
use outcrop_bedrock::json::{Fault, Reader};

/// Reads `{"type": "ephemeral", "ttl": "5m" | "1h"}`; `None` for null.
pub(super) fn read_cache_control(reader: &mut Reader<'_>) -> Result<Option<CacheTtl>, Fault> {
    reader.nullable(|reader| {
        let mut ttl = CacheTtl::Default;
        reader.object(|name, reader| {
            match name {
                "type" if reader.string()? != "ephemeral" => return Err(Fault::shape("expected 'ephemeral'")),
                "ttl" => {
                    ttl = match reader.nullable(Reader::string)?.as_deref() {
                        None => CacheTtl::Default,
                        Some("5m") => CacheTtl::FiveMinutes,
                        Some("1h") => CacheTtl::OneHour,
                        Some(_) => return Err(Fault::shape("expected '5m' or '1h'")),
                    };
                }
                "type" => {}
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(ttl)
    })
}

/// Reads `{"mode": "explicit"}`; `None` for null.
pub(super) fn read_cache_breakpoint(reader: &mut Reader<'_>) -> Result<Option<CacheTtl>, Fault> {
    reader.nullable(|reader| {
        reader.object(|name, reader| match name {
            "mode" if reader.string()? != "explicit" => Err(Fault::shape("expected 'explicit'")),
            "mode" => Ok(()),
            _ => reader.skip(),
        })?;
        Ok(CacheTtl::Default)
    })
}
