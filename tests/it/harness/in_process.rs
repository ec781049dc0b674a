//! A server in this process, on time that the test controls: with `start_paused`, a wait takes no time, and ends to the
//! millisecond when it should.

use std::ops::Deref;

use tempfile::TempDir;
use venice_mcp::cli;
use venice_mcp::config::{Config, Flags};

use super::setup::Setup;
use super::{Mcp, ScriptedVenice};

/// How many bytes wait between client and server.
const BUFFER: usize = 64 * 1024;

/// A server in this process, and a client of it.
pub(crate) struct InProcess {
    pub(crate) venice: ScriptedVenice,
    client: Mcp,
    _home: TempDir,
}

impl InProcess {
    pub(super) async fn start(setup: Setup) -> Self {
        let venice = ScriptedVenice::start(setup.sandbox);
        let home = setup.home;
        let folder = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        let directories = [
            ("HOME", folder("")),
            ("VENICE_OUTPUT_DIR", folder("out")),
            ("VENICE_INPUT_DIRS", folder("in")),
            ("VENICE_BASE_URL", venice.base_url().to_owned()),
        ];
        let read = |name: &str| {
            let default = directories.iter().find(|(one, _)| *one == name);
            setup.variables.get(name).or(default.map(|(_, value)| value)).map(Into::into)
        };
        let working_directory = Some(home.path().to_owned());
        let config = Config::from_sources(&Flags::default(), &read, working_directory).unwrap();
        let (near, far) = tokio::io::duplex(BUFFER);
        tokio::spawn(cli::serve_with_sender(config, venice.sender(), far));
        let client = Mcp::connect(near, &setup.client, setup.user_agrees_after).await;
        Self { venice, client, _home: home }
    }
}

impl Deref for InProcess {
    type Target = Mcp;

    fn deref(&self) -> &Mcp {
        &self.client
    }
}
