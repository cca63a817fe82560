//! What a translation changed or left out, so that nothing is lost in silence.

/// The adaptations of one request, for the response headers and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Vec<String>);

impl Notes {
    /// Notes that `parameter` became `outcome`, such as `dropped` or `1`, and why. All three are our own words or
    /// names of fields, never the client's text: they go into a header.
    pub fn add(&mut self, parameter: &str, outcome: &str, why: &str) {
        let note = format!("{parameter}={outcome}({why})");
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Notes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}
