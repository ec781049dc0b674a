//! The hash by which two calls are known to ask for the same thing.
//!
//! Paid calls whose results were not delivered and queued jobs are both found again by it. The order of fields does not
//! count, and media count by their bytes, whatever the path, URL, or id that led to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::hex;

/// A SHA-256 in 64 hex digits.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of `objects`, made for `scope`: the caller, and what is asked to do the work. Scopes of different
    /// lengths never collide.
    pub(crate) fn new(
        scope: &[&str],
        objects: &[&Map<String, Value>],
        media: &MediaHashes,
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update((scope.len() as u64).to_le_bytes());
        for part in scope {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        for object in objects {
            hash_object(object, media, &mut hash);
        }
        Self(hex::encode(&hash.finalize()))
    }

    /// The hex digits. Empty for a job that another server queued.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `length` digits; all of them if there are fewer.
    pub(crate) fn prefix(&self, length: usize) -> &str {
        self.0.get(..length).unwrap_or(&self.0)
    }

    /// Whether there is no fingerprint: the call was made elsewhere.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The hashes of media, by the strings that stand for them in arguments or in a request's body.
#[derive(Debug, Clone, Default)]
pub(crate) struct MediaHashes(BTreeMap<String, String>);

impl MediaHashes {
    /// Records that `text` stands for media with this SHA-256, in hex digits.
    pub(crate) fn insert(&mut self, text: impl Into<String>, sha256: &str) {
        self.0.insert(text.into(), format!("sha256:{sha256}"));
    }

    fn resolve<'a>(&'a self, text: &'a str) -> &'a str {
        self.0.get(text).map_or(text, String::as_str)
    }
}

/// What a call asks for, apart from the form in which its result is shown and the name it is stored under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallFingerprint {
    /// Media count by their bytes.
    content: Fingerprint,
    /// Media count by their names.
    names: Fingerprint,
    /// The URIs that `last` stood for.
    last: Vec<String>,
}

/// A media argument that a call has read.
#[derive(Debug, Clone)]
pub(crate) struct ReadMedia {
    /// The argument, as it was given.
    pub(crate) text: String,
    /// The SHA-256 of what it led to, in hex digits.
    pub(crate) sha256: String,
    /// The URI that it stood for, if it was `last`.
    pub(crate) stands_for: Option<String>,
}

impl CallFingerprint {
    /// The fingerprint of a call within `scope`, with these arguments, after it has read its media.
    pub(crate) fn new(
        scope: &[&str],
        objects: &[&Map<String, Value>],
        read: Vec<ReadMedia>,
    ) -> Self {
        let mut media = MediaHashes::default();
        for one in &read {
            media.insert(&one.text, &one.sha256);
        }
        Self {
            content: Fingerprint::new(scope, objects, &media),
            names: Fingerprint::new(scope, objects, &MediaHashes::default()),
            last: read.into_iter().filter_map(|one| one.stands_for).collect(),
        }
    }

    /// Whether this call asks for the same thing as `earlier`, which made the items with these URIs. `last` may stand
    /// for one of them by now, though the caller never saw it.
    pub(crate) fn repeats(&self, earlier: &Self, made: &[String]) -> bool {
        self.content == earlier.content
            || (self.names == earlier.names && self.last.iter().any(|uri| made.contains(uri)))
    }

    /// The hex digits of the fingerprint in which media count by their bytes.
    pub(crate) fn as_str(&self) -> &str {
        self.content.as_str()
    }

    /// A fingerprint that differs from those of other names.
    #[cfg(test)]
    pub(crate) fn sample(name: &str) -> Self {
        Self::new(&[name], &[], Vec::new())
    }
}

/// Hashes an object by its sorted fields.
fn hash_object(object: &Map<String, Value>, media: &MediaHashes, hash: &mut Sha256) {
    hash.update(b"{");
    for (name, value) in object.iter().collect::<BTreeMap<_, _>>() {
        hash_string(name, hash);
        hash_value(value, media, hash);
    }
    hash.update(b"}");
}

fn hash_value(value: &Value, media: &MediaHashes, hash: &mut Sha256) {
    match value {
        Value::Object(object) => hash_object(object, media, hash),
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                hash_value(item, media, hash);
            }
            hash.update(b"]");
        }
        Value::String(text) => hash_string(media.resolve(text), hash),
        scalar => {
            hash.update(scalar.to_string());
            hash.update(b",");
        }
    }
}

/// Hashes a string after its length, so that no two lists of strings look alike.
fn hash_string(text: &str, hash: &mut Sha256) {
    hash.update(b"\"");
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;
    use serde_json::json;

    use super::*;

    fn fingerprint(scope: &[&str], body: &Value) -> Fingerprint {
        Fingerprint::new(scope, &[body.as_object().unwrap()], &MediaHashes::default())
    }

    /// Any object, four levels deep.
    fn object() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-20_i64..20).prop_map(Value::from),
            (-4_i32..4).prop_map(|quarters| json!(f64::from(quarters) / 4.0)),
            "[a-c\",]{0,3}".prop_map(Value::from),
        ];
        let value = scalar.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]{0,2}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        });
        prop::collection::btree_map("[a-c]{0,2}", value, 0..5)
            .prop_map(|fields| Value::Object(fields.into_iter().collect()))
    }

    /// The same value with the fields of all its objects in another order.
    fn shuffle(value: &Value, order: &mut impl Iterator<Item = Index>) -> Value {
        match value {
            Value::Object(fields) => {
                let mut rest: Vec<_> = fields.iter().collect();
                let mut shuffled = Map::new();
                while !rest.is_empty() {
                    let at = order.next().map_or(0, |index| index.index(rest.len()));
                    let (name, field) = rest.remove(at);
                    shuffled.insert(name.clone(), shuffle(field, order));
                }
                Value::Object(shuffled)
            }
            Value::Array(items) => items.iter().map(|item| shuffle(item, order)).collect(),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn the_order_of_fields_does_not_count(
            body in object(),
            order in prop::collection::vec(any::<Index>(), 40),
        ) {
            let shuffled = shuffle(&body, &mut order.into_iter());
            prop_assert_eq!(fingerprint(&["a"], &body), fingerprint(&["a"], &shuffled));
        }

        #[test]
        fn different_bodies_have_different_fingerprints(one in object(), other in object()) {
            let same = fingerprint(&["a"], &one) == fingerprint(&["a"], &other);
            prop_assert_eq!(same, one == other);
        }
    }

    #[test]
    fn values_that_could_run_together_do_not() {
        let nested = fingerprint(&[], &json!({"a": [["b"], "c"]}));
        assert_ne!(nested, fingerprint(&[], &json!({"a": ["b", ["c"]]})));
        assert_ne!(fingerprint(&[], &json!({"a": [1, 2]})), fingerprint(&[], &json!({"a": [12]})));
    }

    #[test]
    fn each_scope_has_fingerprints_of_its_own() {
        let body = json!({"prompt": "a"});
        let scopes: [&[&str]; 4] = [&["ab", "c"], &["a", "bc"], &["abc"], &[]];
        let all: Vec<_> = scopes.iter().map(|scope| fingerprint(scope, &body)).collect();
        for (index, one) in all.iter().enumerate() {
            assert!(hex::is_hex(one.as_str(), 64));
            assert!(!all[..index].contains(one));
        }
    }

    fn read(text: &str, bytes: &str, stands_for: Option<&str>) -> ReadMedia {
        ReadMedia {
            text: text.to_owned(),
            sha256: hex::sha256(bytes),
            stands_for: stands_for.map(str::to_owned),
        }
    }

    fn call(images: &Value, read: Vec<ReadMedia>) -> CallFingerprint {
        let arguments = json!({ "images": images });
        CallFingerprint::new(&["venice_image_edit"], &[arguments.as_object().unwrap()], read)
    }

    #[test]
    fn media_count_by_their_bytes() {
        let path = call(&json!(["/a.png", "https://x/y"]), vec![read("/a.png", "one", None)]);
        let other = call(&json!(["/b.png", "https://x/y"]), vec![read("/b.png", "one", None)]);
        assert!(path.repeats(&other, &[]));
        let changed = call(&json!(["/a.png", "https://x/y"]), vec![read("/a.png", "two", None)]);
        assert!(!changed.repeats(&path, &[]));
        let url = call(&json!(["/a.png", "https://x/z"]), vec![read("/a.png", "one", None)]);
        assert!(!url.repeats(&path, &[]));
    }

    #[test]
    fn last_is_the_same_though_it_moved_to_an_item_that_was_not_delivered() {
        let last = |bytes, uri| call(&json!("last"), vec![read("last", bytes, Some(uri))]);
        let made = ["venice://media/new".to_owned()];
        let earlier = last("one", "venice://media/old");
        assert!(last("one", "venice://media/old").repeats(&earlier, &[]));
        assert!(last("two", "venice://media/new").repeats(&earlier, &made));
        assert!(!last("two", "venice://media/other").repeats(&earlier, &made));
    }
}
