"""Without Terraform or its provider there is no plan: `test_text.py` then says so, and the text is read instead."""

from tests.deploy.terraform import why_not

collect_ignore = ["test_terraform.py"] if why_not() else ["test_unplanned.py"]
