//! Text from text: chats, responses, and vectors.

mod broken;
mod chat;
mod embeddings;
mod responses;
