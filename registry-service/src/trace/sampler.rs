//! Which requests are traced (OpenTelemetry's specification, "Built-in samplers").

use super::context::ParentContext;

/// Which requests are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// Whether a caller that says what it does is followed.
    pub follows: bool,
    /// The part of all others, from 0 to 1.
    pub part: f64,
}

impl Sampler {
    /// What `OTEL_TRACES_SAMPLER` and its argument name.
    pub fn of(name: &str, argument: Option<&str>) -> Option<Self> {
        let (follows, name) = match name.strip_prefix("parentbased_") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let part = match name {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => match argument {
                Some(text) => text.parse().ok().filter(|part| (0.0..=1.0).contains(part))?,
                None => 1.0,
            },
            _ => return None,
        };
        Some(Self { follows, part })
    }

    /// Whether a request of this trace is traced.
    pub(super) fn takes(&self, parent: Option<ParentContext>, trace_id: [u8; 16]) -> bool {
        if let Some(parent) = parent
            && self.follows
        {
            return parent.sampled;
        }
        // By the id's random part, so that everybody who samples a trace by the same part comes to the same answer.
        let mut low = [0; 8];
        low.copy_from_slice(&trace_id[8..]);
        #[expect(clippy::cast_precision_loss, reason = "63 bits of chance")]
        let chance = (u64::from_be_bytes(low) >> 1) as f64 / (1_u64 << 63) as f64;
        // A chance that is next to one is rounded to it.
        chance < self.part || self.part >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampler_follows_its_caller_or_takes_its_part() {
        let parent = |sampled| {
            Some(ParentContext {
                trace_id: [1; 16],
                span_id: [1; 8],
                sampled,
            })
        };
        let (low, high) = ([0x11; 16], [0xee; 16]);
        for (name, argument, parent, id, expected) in [
            ("always_on", None, parent(false), high, true),
            ("always_off", None, parent(true), low, false),
            ("traceidratio", Some("0.5"), None, low, true),
            ("traceidratio", Some("0.5"), None, high, false),
            ("traceidratio", Some("0.5"), parent(true), high, false),
            ("parentbased_always_on", None, None, high, true),
            ("parentbased_always_on", None, parent(false), high, false),
            ("parentbased_always_off", None, parent(true), low, true),
            ("parentbased_traceidratio", Some("0"), None, [0; 16], false),
            ("parentbased_traceidratio", Some("1"), None, [0xff; 16], true),
        ] {
            let sampler = Sampler::of(name, argument).unwrap();
            assert_eq!(sampler.takes(parent, id), expected, "{name} {argument:?}");
        }
        assert_eq!(Sampler::of("sometimes", None), None);
        assert_eq!(Sampler::of("traceidratio", Some("2")), None);
    }
}
