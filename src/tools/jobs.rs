//! The tools that are the same for all kinds of jobs. Each kind mounts them in its own toolset.

pub mod complete;
pub mod status;

pub use complete::CompleteJob;
pub use status::JobStatus;
