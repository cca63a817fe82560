mod laws;
mod money;
mod special;
