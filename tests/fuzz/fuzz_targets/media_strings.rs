//! Media arguments: whatever a string says, it leads to media or to an error that repeats little of it. No network and
//! no file is reached: the caller may read neither.
#![no_main]

use std::path::PathBuf;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use venice_mcp::context::{Caller, Context, Files};
use venice_mcp::input::{InputSettings, Inputs, Urls, Wanted};
use venice_mcp::media::{RetentionLimits, MediaKind, MediaStore};
use venice_mcp::storage::Storage;
use venice_mcp::venice::fetch::Fetcher;

fuzz_target!(|text: &str| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let nowhere = PathBuf::from("/proc/venice-mcp-fuzz");
    let storage = Storage::new(nowhere.clone(), nowhere.join("fallback"));
    let limits = RetentionLimits { max_bytes: 0, max_age: Duration::ZERO };
    let view = MediaStore::new(storage, limits).view(&Caller::Local);
    let inputs = Inputs::new(InputSettings {
        output_directory: nowhere,
        input_directories: Vec::new(),
        working_directory: None,
        home: None,
        fetcher: Fetcher::new(false),
    });
    let wanted = Wanted {
        argument: "image",
        kinds: &[MediaKind::Image],
        urls: Urls::Refuse,
        max_bytes: 1 << 20,
        pixels: None,
    };
    let context = Context { files: Files::None, ..Context::default() };
    if let Err(error) = runtime.block_on(inputs.read(&context, &view, text, &wanted)) {
        assert!(error.text().len() <= 2000);
    }
});
