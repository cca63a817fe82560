//! Messages for a model whose API is OpenAI's own: what a request may have. SDKs send an answer back as history with all
//! that an answer has, such as `annotations`, `audio` and `parsed`, which is no part of a request.

use outcrop_bedrock::json::{Fault, Json, Kind, ObjectWriter, Reader, ToJson as _};

/// Members of a message (OpenAI's API description, `ChatCompletionRequestMessage`, read 2026-11).
const OF_MESSAGES: &[&str] = &["role", "content", "name", "refusal", "tool_call_id"];

/// Writes the messages. They were read before, so that nothing can be wrong with them.
pub(super) fn write(messages: &Json<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    if messages.read(|reader| write_list(reader, out, write_message)).is_err() {
        out.truncate(start);
        messages.write_json(out);
    }
}

fn write_list(
    reader: &mut Reader<'_>,
    out: &mut Vec<u8>,
    write: fn(&mut Reader<'_>, &mut Vec<u8>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    out.push(b'[');
    let mut is_first = true;
    reader.array(|reader| {
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        write(reader, out)
    })?;
    out.push(b']');
    Ok(())
}

fn write_message(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let message = reader.json()?;
    let mut is_tools = false;
    message.read(|reader| {
        reader.object(|name, reader| match (name, reader.kind()?) {
            ("role", Kind::String) => reader.string().map(|role| is_tools = role == "tool"),
            _ => reader.skip(),
        })
    })?;
    let mut read = Ok(());
    ObjectWriter::write(out, |object| {
        read = message.read(|reader| {
            reader.object(|name, reader| match (name, reader.kind()?) {
                (_, Kind::Null) => reader.skip(),
                ("tool_calls", _) => write_list(reader, object.key(name), write_call),
                // Some clients name the tool beside its result, which only older messages of functions had.
                ("name", _) if is_tools => reader.skip(),
                _ if OF_MESSAGES.contains(&name) => {
                    object.field(name, &reader.json()?);
                    Ok(())
                }
                _ => reader.skip(),
            })
        });
    });
    read
}

fn write_call(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut read = Ok(());
    ObjectWriter::write(out, |call| {
        read = reader.object(|name, reader| match name {
            "id" | "type" => {
                call.field(name, &reader.json()?);
                Ok(())
            }
            "function" => {
                let mut read = Ok(());
                call.object(name, |function| {
                    read = reader.object(|name, reader| match name {
                        "name" | "arguments" => {
                            function.field(name, &reader.json()?);
                            Ok(())
                        }
                        _ => reader.skip(),
                    });
                });
                read
            }
            _ => reader.skip(),
        });
    });
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_answers_have_is_left_out() {
        let messages = r#"[{"role":"user","content":[{"type":"text","text":"a"}],"name":"n"},
            {"role":"assistant","content":null,"annotations":[],"audio":null,"parsed":null,"refusal":null,
             "tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"f","arguments":"{}","parsed_arguments":{}}}]},
            {"role":"tool","tool_call_id":"1","content":"b","name":"f"}]"#;
        let mut out = Vec::new();
        write(&Json::parse(messages).unwrap(), &mut out);
        let expected = concat!(
            r#"[{"role":"user","content":[{"type":"text","text":"a"}],"name":"n"},"#,
            r#"{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},"#,
            r#"{"role":"tool","tool_call_id":"1","content":"b"}]"#
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
