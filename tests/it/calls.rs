//! Calls of tools, by family: what Venice is asked, and what the client gets.

mod audio;
mod catalog;
mod edit;
mod image;
mod media;
mod web;
