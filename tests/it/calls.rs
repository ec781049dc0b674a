//! Calls of tools, by family: what Venice is asked, and what the client gets.

mod audio;
mod catalog;
mod image;
mod media;
mod music;
mod video;
