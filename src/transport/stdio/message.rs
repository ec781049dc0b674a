//! What a line is: a message, or something whose sender must be told.

use bytes::Bytes;
use memchr::memmem;
use rmcp::model::{
    CallToolRequest, ClientJsonRpcMessage, ClientRequest, ErrorCode, JsonRpcMessage,
    JsonRpcRequest, RequestId,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::line::Scan;

/// Some clients on Windows begin their output with it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a line is no message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LineError {
    id: Option<RequestId>,
    pub(super) code: i32,
    pub(super) message: String,
}

/// The message of `line`; `None` where there is none and nobody expects an answer.
pub(super) fn parse(line: &[u8]) -> Option<Result<ClientJsonRpcMessage, LineError>> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return None;
    }
    if let Some(call) = call(line) {
        return Some(Ok(call));
    }
    match serde_json::from_slice(line) {
        Ok(message) => Some(Ok(message)),
        Err(error) => LineError::of(line, &error).map(Err),
    }
}

/// The call of a tool that `line` is, as nearly all messages are. The parser of all messages tries the types of all
/// requests in turn; `None` leaves the line to it.
fn call(line: &[u8]) -> Option<ClientJsonRpcMessage> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only that nothing else is there matters")]
    struct Fields {
        jsonrpc: IgnoredAny,
        id: IgnoredAny,
        method: IgnoredAny,
        params: IgnoredAny,
    }
    memmem::find(line, b"\"tools/call\"")?;
    serde_json::from_slice::<Fields>(line).ok()?;
    let JsonRpcRequest { jsonrpc, id, request } =
        serde_json::from_slice::<JsonRpcRequest<CallToolRequest>>(line).ok()?;
    let request = ClientRequest::CallToolRequest(request);
    Some(JsonRpcMessage::Request(JsonRpcRequest { jsonrpc, id, request }))
}

impl LineError {
    /// A line that was skipped because it is longer than `limit` bytes.
    pub(super) fn too_long(id: Option<RequestId>, limit: usize) -> Self {
        let message = format!("the message is longer than {limit} bytes; nothing was done");
        Self { id, code: ErrorCode::INVALID_REQUEST.0, message }
    }

    fn of(line: &[u8], error: &serde_json::Error) -> Option<Self> {
        // Unlike the parser of messages, this one takes any depth, so that a request which is nested too
        // deeply is answered under its id.
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(line) {
            let message = format!("the line is not valid JSON: {error}");
            return Some(Self { id: None, code: ErrorCode::PARSE_ERROR.0, message });
        }
        let scan = Scan::of(line);
        if scan.wants_no_answer() {
            tracing::debug!(%error, "ignored a notification or response that cannot be read");
            return None;
        }
        let message = if error.is_data() {
            "the line is not a JSON-RPC 2.0 message; batches are not supported".to_owned()
        } else {
            format!("the message cannot be read: {error}")
        };
        Some(Self { id: scan.id(), code: ErrorCode::INVALID_REQUEST.0, message })
    }

    /// The line to answer with. As JSON-RPC has it, an id that could not be read is null.
    pub(super) fn reply(&self) -> Bytes {
        let reply = serde_json::json!({
            "jsonrpc": "2.0",
            "id": self.id,
            "error": { "code": self.code, "message": self.message },
        });
        Bytes::from(format!("{reply}\n"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(line: &str) -> (i32, Option<RequestId>) {
        let fault = parse(line.as_bytes()).expect("an answer").expect_err("a fault");
        (fault.code, fault.id)
    }

    #[test]
    fn lines_end_and_begin_as_on_any_system() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        for line in [ping.to_owned(), format!("{ping}\r"), format!("\u{feff} {ping} ")] {
            assert!(matches!(parse(line.as_bytes()), Some(Ok(_))), "{line}");
        }
        for blank in ["", "\r", "  \t", "\u{feff}", "\u{feff}\r"] {
            assert!(parse(blank.as_bytes()).is_none());
        }
    }

    #[test]
    fn a_call_is_what_the_parser_of_all_messages_makes_of_it() {
        let any = |line: &str| serde_json::from_str::<ClientJsonRpcMessage>(line);
        for line in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#,
            r#"{"params":{"name":"a\u0062","arguments":{"b":[1,null,"\n"],"method":"c"},
                "_meta":{"progressToken":"t","d":{}}},"method":"tools/call","id":"x","jsonrpc":"2.0"}"#,
        ] {
            let found = call(line.as_bytes()).expect("a call");
            let expected = any(line).unwrap();
            assert_eq!(format!("{found:?}"), format!("{expected:?}"));
            assert_eq!(json!(found), json!(expected));
        }
        for line in [
            r#"{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"result":null}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"name":"tools/call"}}"#,
        ] {
            assert!(call(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn what_is_no_json_has_no_id() {
        for line in ["hello", r#"{"jsonrpc":"2.0","id":1,"method":"ping""#, "{'id':1}", "\u{0}"] {
            assert_eq!(fault(line), (-32700, None), "{line}");
        }
    }

    #[test]
    fn json_that_is_no_message_is_answered_under_its_id() {
        for line in ["[]", "1", "null", "{}", r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#] {
            assert_eq!(fault(line), (-32600, None), "{line}");
        }
        let id = Some(RequestId::Number(7));
        for line in [
            r#"{"id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":5}"#,
        ] {
            assert_eq!(fault(line), (-32600, id.clone()), "{line}");
        }
        assert_eq!(fault(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), (-32600, None));
        assert_eq!(fault(r#"{"jsonrpc":"2.0","id":[7],"method":"ping"}"#), (-32600, None));
    }

    #[test]
    fn responses_and_notifications_are_never_answered() {
        for line in [
            r#"{"id":7,"result":{}}"#,
            r#"{"id":null,"error":{}}"#,
            r#"{"method":"$/cancelRequest"}"#,
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_without_overflowing_the_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        let line = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{{"a":{deep}}},"id":7}}"#);
        assert_eq!(fault(&line), (-32600, Some(RequestId::Number(7))));
        assert_eq!(fault(&"[".repeat(1_000_000)), (-32700, None));
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        let line = b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"\xff\"}";
        assert!(matches!(parse(line), Some(Err(_))));
    }

    #[test]
    fn a_reply_is_one_line_with_an_id_in_any_case() {
        let fault = parse(b"{").unwrap().unwrap_err();
        let reply = String::from_utf8(fault.reply().to_vec()).unwrap();
        assert!(reply.starts_with(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"#));
        assert!(reply.ends_with("}\n") && reply.matches('\n').count() == 1);
    }
}
