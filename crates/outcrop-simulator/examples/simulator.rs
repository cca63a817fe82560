//! Runs the simulator alone: `cargo run -p outcrop-simulator --example simulator -- 127.0.0.1:0 [scenario.toml]`.

use std::error::Error;

use outcrop_simulator::{Config, Scenario, Simulator};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let scenario = match arguments.next() {
        Some(path) => Some(Scenario::parse(&std::fs::read_to_string(path)?)?),
        None => None,
    };
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let config = Config {
        scenario,
        ..Config::default()
    };
    Simulator::new(config).serve(listener, std::future::pending()).await?;
    Ok(())
}
