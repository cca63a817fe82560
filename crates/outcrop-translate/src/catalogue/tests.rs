use super::*;

mod cascade;
mod files;
mod operator;
