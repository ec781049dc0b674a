//! What the headers and the URL of a request ask for. They narrow what the server was started with.

use axum::http::{HeaderMap, Uri};
use url::form_urlencoded;

use crate::context::{OutputMode, RequestSettings};
use crate::tools::{self, FAMILIES};

/// The parameters of a URL that narrow what it sees.
const URL_PARAMETERS: [&str; 3] = ["output", "toolsets", "readonly"];
/// The headers that do the same.
const NARROWING_HEADERS: [&str; 3] = ["x-venice-output", "x-mcp-toolsets", "x-mcp-readonly"];

/// What the request asks for; the error says what of it cannot be had. A header wins over the URL.
pub(super) fn parse_settings(headers: &HeaderMap, uri: &Uri) -> Result<RequestSettings, String> {
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    if let Some((name, meant)) =
        given.into_iter().find_map(|(name, _)| misspelled(&name, URL_PARAMETERS))
    {
        return Err(format!("there is no parameter `{name}`; write `{meant}`"));
    }
    if let Some((name, meant)) =
        headers.keys().find_map(|name| misspelled(name.as_str(), NARROWING_HEADERS))
    {
        return Err(format!("there is no header `{name}`; write `{meant}`"));
    }
    let [output_header, toolsets_header, read_only_header] = NARROWING_HEADERS;
    let find = |header: &str, parameter: &str| {
        let given: Result<Vec<String>, String> = headers
            .get_all(header)
            .iter()
            .map(|value| {
                value.to_str().map(str::to_owned).map_err(|_| format!("`{header}` is no text"))
            })
            .collect();
        Ok::<_, String>(joined(given?.into_iter()).or_else(|| joined(values(uri, parameter))))
    };
    Ok(RequestSettings {
        output: find(output_header, "output")?.map(|text| parse_output(&text)).transpose()?,
        toolsets: find(toolsets_header, "toolsets")?
            .map(|text| parse_toolsets(&text))
            .transpose()?
            .flatten(),
        read_only: find(read_only_header, "readonly")?
            .map_or(Ok(false), |text| parse_bool(&text))?,
    })
}

/// Every parameter of that name in the URL's query.
fn values(uri: &Uri, name: &str) -> impl Iterator<Item = String> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.filter(move |(one, _)| one == name).map(|(_, value)| value.into_owned())
}

/// What is given more than once as one list: what takes a single value refuses it.
fn joined(given: impl Iterator<Item = String>) -> Option<String> {
    given.reduce(|all, one| format!("{all},{one}"))
}

/// A name that is one of ours but for case, hyphens and number, and ours. Ignored, it would grant what
/// it was meant to withhold. Other names belong to the host.
fn misspelled(name: &str, ours: [&'static str; 3]) -> Option<(String, &'static str)> {
    let plain =
        |name: &str| name.trim_end_matches(['s', 'S']).replace(['-', '_'], "").to_ascii_lowercase();
    let meant = ours.into_iter().find(|one| plain(one) == plain(name))?;
    (name != meant).then(|| (name.chars().take(40).collect(), meant))
}

fn parse_output(text: &str) -> Result<OutputMode, String> {
    OutputMode::parse(text.trim())
        .ok_or_else(|| "`output` must be auto, blob, image, link, file or none".to_owned())
}

fn parse_toolsets(text: &str) -> Result<Option<Vec<String>>, String> {
    let names: Vec<String> = text
        .split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if let Some(unknown) =
        names.iter().find(|name| tools::toolsets().all(|known| known != name.as_str()))
    {
        let unknown: String = unknown.chars().take(40).collect();
        let all: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        return Err(format!("there is no toolset `{unknown}`; there are {}", all.join(", ")));
    }
    Ok(Some(names).filter(|names| !names.is_empty()))
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("`readonly` must be true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ask(
        header: Option<(&'static str, &'static str)>,
        uri: &'static str,
    ) -> Result<RequestSettings, String> {
        let headers = header
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        parse_settings(&headers.collect(), &Uri::from_static(uri))
    }

    #[test]
    fn a_header_wins_over_the_url() {
        let asked =
            ask(Some(("x-mcp-toolsets", "audio")), "/mcp?toolsets=image,web&readonly=1").unwrap();
        assert_eq!(asked.toolsets, Some(vec!["audio".to_owned()]));
        assert!(asked.read_only && asked.output.is_none());
        let asked = ask(None, "/mcp?toolsets=image%2Cweb&output=link").unwrap();
        assert_eq!(asked.toolsets.unwrap(), ["image", "web"]);
        assert_eq!(asked.output, Some(OutputMode::Link));
        assert!(!ask(None, "/mcp").unwrap().narrows());
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        assert!(ask(None, "/mcp?toolsets=imgae").unwrap_err().contains("`imgae`"));
        assert!(ask(Some(("x-venice-output", "loud")), "/mcp").is_err());
        assert!(ask(None, "/mcp?readonly=maybe").is_err());
    }

    #[test]
    fn what_is_given_twice_is_a_list_or_refused() {
        let twice = ask(None, "/mcp?toolsets=image&toolsets=audio,web").unwrap();
        assert_eq!(twice.toolsets.unwrap(), ["image", "audio", "web"]);
        assert!(ask(None, "/mcp?output=link&output=file").is_err());
        assert!(ask(None, "/mcp?readonly=0&readonly=1").is_err());
    }

    #[test]
    fn a_misspelled_header_is_refused() {
        let ask = |name: &'static str, value: &'static [u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_bytes(value).unwrap());
            parse_settings(&headers, &Uri::from_static("/mcp"))
        };
        assert!(ask("x-mcp-read-only", b"true").unwrap_err().contains("`x-mcp-readonly`"));
        assert!(ask("x-mcp-readonly", b"\xff").unwrap_err().contains("no text"));
        assert!(ask("x-mcp-readonly", b"true").unwrap().read_only);
    }
}
