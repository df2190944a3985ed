//! Does the program keep its word? Each test runs it as a user would and asks only what a user can see.

mod batch;
mod bootstrap;
mod bounds;
mod directory;
mod limits;
mod parts;
mod refusals;
mod resume;
mod rows;
mod screen;
mod shards;
mod solve;
mod terminal;
mod verify;
