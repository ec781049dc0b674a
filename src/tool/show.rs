//! Data as results, however much of it there is.

use serde_json::{Map, Value, json};

use super::{Call, LONGEST_TEXT, Made};
use crate::context::OutputMode;
use crate::error::Result;
use crate::outcome::Outcome;

impl Call {
    /// Data as the result of a call. Data that is too long for a conversation is stored as JSON, and the result
    /// is `brief`, with the `uri` under which the whole is read.
    pub async fn show(
        &self,
        data: Map<String, Value>,
        brief: Map<String, Value>,
    ) -> Result<Outcome> {
        let data = Value::Object(data);
        let text = data.to_string();
        let characters = text.chars().count();
        if characters <= LONGEST_TEXT {
            return Ok(Outcome { data: data.as_object().cloned(), ..Outcome::default() });
        }
        let content_type = Some("application/json".to_owned());
        let prompt = Some(self.tool.title.to_owned());
        let made = Made { bytes: text.into(), content_type, prompt, ..Made::default() };
        let item = self.keep(made).await?;
        let mut brief = brief;
        brief.insert("uri".to_owned(), json!(item.media.uri()));
        brief.insert("characters".to_owned(), json!(characters));
        let line =
            format!("the whole has {characters} characters of JSON: read its resource or its file");
        Ok(Outcome {
            media: vec![item],
            data: Some(brief),
            output: Some(OutputMode::Link),
            lines: vec![line],
            ..Outcome::default()
        })
    }
}
