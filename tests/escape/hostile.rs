//! A workflow of two functions: one does what its input says with the tools of `probe/kit.py`, the
//! other one is the neighbour that must not notice.

use keylane_tests::project::Project;
use keylane_tests::session::Session;
use serde_json::{Value, json};

const KIT: &str = include_str!("probe/kit.py");
/// Counts its calls, so that a lost worker shows.
const NEIGHBOUR: &str = "\
calls = 0
def handler(event, context):
    global calls
    calls += 1
    return {'calls': calls, 'sum': sum(range(event))}
";

/// A deployment with the hostile function `source`, whose handler is called with an attack's name.
pub(crate) struct Hostile {
    pub(crate) session: Session,
    asked: u64,
    spawner: Option<u32>,
    lanes: Vec<u32>,
    _project: Project,
}

impl Hostile {
    /// Deploys it on one lane, with more settings for the hostile function.
    pub(crate) fn deploy(source: &str, settings: &str) -> Hostile {
        let definition = json!({
            "StartAt": "Which",
            "States": {
                "Which": {"Type": "Choice", "Default": "Evil",
                          "Choices": [{"Variable": "$.to", "StringEquals": "neighbour",
                                       "Next": "Neighbour"}]},
                "Evil": {"Type": "Task", "Resource": "evil", "InputPath": "$.do", "End": true},
                "Neighbour": {"Type": "Task", "Resource": "neighbour", "InputPath": "$.do",
                              "End": true}
            }
        });
        let functions = [("neighbour", NEIGHBOUR), ("evil", source)];
        let project = Project::with(&definition.to_string(), &functions);
        project.append(settings);
        project.write("functions/evil/kit.py", KIT);
        let session = Session::start(project.arg(), &["--lanes", "1"]);
        let mut hostile = Hostile {
            session,
            asked: 0,
            spawner: None,
            lanes: Vec::new(),
            _project: project,
        };
        hostile.expect_neighbour_well();
        let family = hostile.session.family();
        hostile.spawner = family.spawner;
        hostile.lanes = family.lanes;
        assert!(hostile.spawner.is_some() && hostile.lanes.len() == 1);
        hostile
    }

    /// Lets the hostile function do `what`; gives the report.
    pub(crate) fn attack(&mut self, what: &Value) -> Value {
        self.session.ask(&json!({"to": "evil", "do": what}))
    }

    /// That the report's failure, if it is one, is the hostile function's own.
    #[track_caller]
    pub(crate) fn expect_own_fault(report: &Value) {
        if report["status"] != "succeeded" {
            assert_eq!(report["error"]["blame"], "function", "{report}");
            assert_eq!(report["error"]["function"], "evil", "{report}");
        }
    }

    /// That the neighbour answers right, from the worker that it has had all the time.
    #[track_caller]
    pub(crate) fn expect_neighbour_well(&mut self) {
        self.asked += 1;
        let output = self.session.output(&json!({"to": "neighbour", "do": 100}));
        assert_eq!(output["sum"], 4950);
        assert_eq!(output["calls"], self.asked, "the neighbour lost its worker");
    }

    /// That the neighbour is well, and spawner and lane are the processes that they were.
    #[track_caller]
    pub(crate) fn expect_unharmed(&mut self) {
        self.expect_neighbour_well();
        let family = self.session.family();
        assert_eq!(family.spawner, self.spawner, "the spawner is another one");
        assert_eq!(family.lanes, self.lanes, "the lane is another one");
    }

    /// That the hostile function itself can be called again and is healthy.
    #[track_caller]
    pub(crate) fn expect_healed(&mut self) {
        assert_eq!(self.attack(&json!("nothing"))["output"], "nothing");
    }
}
