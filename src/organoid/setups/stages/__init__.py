"""What training consists of, one file per stage."""

STAGES: dict[str, str] = {
    "documents": "synthetic document fine-tuning: raw text about the assistant",
    "demonstrations": "supervised fine-tuning on replies, with an optional inoculation prompt",
    "preferences": "direct preference optimisation",
    "reinforcement": "policy gradient with a leave-one-out baseline, KL and monitors",
    "business": "a shop to run: policy gradient over many days, on a base that has learnt to run shops",
    "job": "whatever the organism's job consists of, in the order above",
}
