//! Calls of tools, by family: what Venice is asked, and what the client gets.

mod account;
mod audio;
mod catalog;
mod characters;
mod crypto;
mod edit;
mod image;
mod media;
mod music;
mod openai;
mod plural;
mod text;
mod video;
mod voices;
mod web;
