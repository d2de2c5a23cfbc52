"""From a result to what people read: one offline page (`html`), or a few lines in a terminal (`terminal`)."""

from organoid.reporting.html import write_report, write_study_report
from organoid.reporting.terminal import print_result

__all__ = ["print_result", "write_report", "write_study_report"]
