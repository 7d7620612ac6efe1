"""The network of deploy/cloudformation: linted, then deployed on a made-up AWS whose answers are looked at."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from cfnlint.decode import decode_str

from cfnlint.api import lint, ManualArgs  # isort: skip
from moto import mock_aws

from tests.deploy.product import DEPLOY

FOLDER = DEPLOY / "cloudformation"
TEMPLATE = FOLDER / "network.yaml"
# moto makes no egress rules: these are read from the template (`ways_out`).
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS..EC2..SecurityGroupEgress:UserWarning")
REGION = "eu-central-1"
TO = "DestinationSecurityGroupId"
OUTPUTS = {
    "VpcId", "PublicSubnetIds", "PrivateSubnetIds", "DataSubnetIds", "BalancerSecurityGroupId",
    "ServiceSecurityGroupId", "MonitoringSecurityGroupId", "NetworkAddresses",
    "OperationsSecurityGroupId", "PoolerBalancerSecurityGroupId", "PoolerSecurityGroupId",
    "IngestBalancerSecurityGroupId", "DatabaseSecurityGroupId", "CacheSecurityGroupId", "EndpointSecurityGroupId",
}  # fmt: skip
# Who takes connections from whom: group, port, and where from.
WAYS_IN = {
    ("Balancer", 443, "0.0.0.0/0"), ("Balancer", 80, "0.0.0.0/0"), ("IngestBalancer", 443, "0.0.0.0/0"),
    ("Service", 8001, "Balancer"), ("Service", 8002, "Balancer"), ("Service", 1935, "IngestBalancer"),
    ("PoolerBalancer", 6432, "Service"), ("Pooler", 6432, "PoolerBalancer"), ("Database", 5432, "Pooler"),
    ("Endpoint", 443, "Pooler"), ("Database", 5432, "Operations"), ("Cache", 6379, "Operations"),
    ("Endpoint", 443, "Operations"), ("Endpoint", 587, "Operations"),
    ("Cache", 6379, "Service"), ("Endpoint", 443, "Service"),
    ("Endpoint", 587, "Service"), ("Service", 8001, "Monitoring"), ("Service", 8002, "Monitoring"),
}  # fmt: skip

WAYS_OUT = {
    ("Balancer", 8001, "Service"), ("Balancer", 8002, "Service"), ("IngestBalancer", 1935, "Service"),
    ("Service", 6432, "PoolerBalancer"), ("PoolerBalancer", 6432, "Pooler"), ("Pooler", 5432, "Database"),
    ("Pooler", 443, "0.0.0.0/0"), ("Operations", 5432, "Database"), ("Operations", 6379, "Cache"),
    ("Operations", 587, "Endpoint"), ("Operations", 443, "0.0.0.0/0"),
    ("Service", 6379, "Cache"), ("Service", 443, "0.0.0.0/0"),
    ("Service", 587, "Endpoint"),
    ("Monitoring", 8001, "Service"), ("Monitoring", 8002, "Service"), ("Monitoring", 443, "0.0.0.0/0"),
}  # fmt: skip


def ways_out(text: str) -> set[tuple[str, int, str]]:
    resources = decode_str(text)[0]["Resources"].values()
    rules = [entry["Properties"] for entry in resources if entry["Type"] == "AWS::EC2::SecurityGroupEgress"]
    return {
        (
            group_of(rule["GroupId"]),
            rule["FromPort"],
            rule.get("CidrIp") or group_of(rule["DestinationSecurityGroupId"]),
        )
        for rule in rules
    }


def group_of(reference: Any) -> str:
    return str(reference["Fn::GetAtt"][0]).removesuffix("SecurityGroup")


def linted(text: str) -> list[str]:
    return [f"{match.rule.id} {match.message}" for match in lint(text, config=ManualArgs(regions=[REGION]))]


def deployed(text: str, environment: str) -> list[str]:
    """What is wrong with the network that comes out."""
    with mock_aws():
        formation = boto3.client("cloudformation", REGION, aws_access_key_id="x", aws_secret_access_key="x")
        parameters = json.loads((FOLDER / f"{environment}.json").read_text())
        formation.create_stack(
            StackName="net", TemplateBody=text, Parameters=parameters, Capabilities=["CAPABILITY_IAM"]
        )
        (stack,) = formation.describe_stacks(StackName="net")["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
        exports = {export["Name"] for export in formation.list_exports()["Exports"]}
        ec2 = boto3.client("ec2", REGION, aws_access_key_id="x", aws_secret_access_key="x")
        made = formation.describe_stack_resources(StackName="net")["StackResources"]
        physical = {
            entry.get("LogicalResourceId", ""): entry["PhysicalResourceId"]
            for entry in made
            if "PhysicalResourceId" in entry
        }
        inside = [*groups(ec2, outputs), *endpoints(ec2, outputs), *open_groups(text)]
        return [*names(outputs, exports), *subnets(ec2, text, physical, outputs, environment), *inside]


def names(outputs: dict[str, str], exports: set[str]) -> Iterator[str]:
    if set(outputs) != OUTPUTS or exports != {f"net-{name}" for name in OUTPUTS}:
        yield f"outputs or exports differ: {sorted(set(outputs) ^ OUTPUTS)}"


def subnets(ec2: Any, text: str, physical: dict[str, str], outputs: dict[str, str], environment: str) -> Iterator[str]:
    found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [outputs["VpcId"]]}])["Subnets"]
    by_id = {subnet["SubnetId"]: subnet for subnet in found}
    for tier in ("Public", "Private", "Data"):
        ids = outputs[f"{tier}SubnetIds"].split(",")
        if len({by_id[name]["AvailabilityZone"] for name in ids}) != 3:
            yield f"{tier} subnets are not in three zones"
        out = {name: way_out(ec2, text, physical, name) for name in ids}
        wanted = {"Public": "igw", "Private": "nat", "Data": ""}[tier]
        if any(gateway.partition("-")[0] != wanted for gateway in out.values()):
            yield f"{tier} subnets go out by {sorted(out.values())}"
        if tier == "Private" and len(set(out.values())) != (3 if environment == "production" else 1):
            yield "a lost zone takes the way out of the others along"


def way_out(ec2: Any, text: str, physical: dict[str, str], subnet: str) -> str:
    """moto keeps no associations: which table a subnet has is read from the template, where it leads is asked."""
    resources = decode_str(text)[0]["Resources"].values()
    (table,) = (
        physical[entry["Properties"]["RouteTableId"]["Ref"]]
        for entry in resources
        if entry["Type"] == "AWS::EC2::SubnetRouteTableAssociation"
        and physical[entry["Properties"]["SubnetId"]["Ref"]] == subnet
    )
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    out = [route for route in routes if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
    return next((route.get("NatGatewayId") or route.get("GatewayId") or "?" for route in out), "")


def groups(ec2: Any, outputs: dict[str, str]) -> Iterator[str]:
    ids = {outputs[name]: name.removesuffix("SecurityGroupId") for name in OUTPUTS if name.endswith("GroupId")}
    found = ec2.describe_security_groups(GroupIds=list(ids))["SecurityGroups"]
    ways = {
        (ids[group["GroupId"]], rule["FromPort"], source)
        for group in found
        for rule in group["IpPermissions"]
        for source in (
            *(entry["CidrIp"] for entry in rule["IpRanges"]),
            *(ids[entry["GroupId"]] for entry in rule["UserIdGroupPairs"]),
        )
    }
    if ways != WAYS_IN:
        yield f"ways in differ: {sorted(map(str, ways ^ WAYS_IN))}"


def open_groups(text: str) -> Iterator[str]:
    for name, entry in decode_str(text)[0]["Resources"].items():
        if entry["Type"] == "AWS::EC2::SecurityGroup":
            (rule,) = entry["Properties"]["SecurityGroupEgress"]
            if rule["CidrIp"] != "127.0.0.1/32":
                yield f"{name} may go anywhere"


def endpoints(ec2: Any, outputs: dict[str, str]) -> Iterator[str]:
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [outputs["VpcId"]]}])["VpcEndpoints"]
    services = {endpoint["ServiceName"].partition(f"{REGION}.")[2] for endpoint in found}
    if services != {"s3", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "email-smtp"}:
        yield f"endpoints differ: {sorted(services)}"


def test_the_template_is_sound() -> None:
    assert linted(TEMPLATE.read_text()) == []
    assert ways_out(TEMPLATE.read_text()) == WAYS_OUT


def test_another_way_out_is_seen() -> None:
    text = TEMPLATE.read_text().replace(
        "DestinationSecurityGroupId: !GetAtt Endpoint", "DestinationSecurityGroupId: !GetAtt Cache"
    )

    gone = {(source, 587, "Endpoint") for source in ("Service", "Operations")}
    assert ways_out(text) == WAYS_OUT - gone | {(source, 587, "Cache") for source, *_ in gone}


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_the_network_comes_out_as_it_is_meant(environment: str) -> None:
    assert deployed(TEMPLATE.read_text(), environment) == []


def test_the_linter_finds_planted_mistakes() -> None:
    text = TEMPLATE.read_text().replace("!Ref PublicSubnet2", "!Ref PublicSubnet4").replace("REJECT", "SOME")

    found = linted(text)

    assert any("PublicSubnet4" in one for one in found)
    assert any("SOME" in one for one in found)


MISTAKES = (
    ("AvailabilityZone: !Select [2,", "AvailabilityZone: !Select [1,", "Public subnets are not in three zones"),
    ("RouteTableId: !Ref DataRoutes", "RouteTableId: !Ref PrivateRoutes1", "Data subnets go out by"),
    ("!If [EveryZoneHasNat, !Ref NatGateway3, !Ref NatGateway1]", "!Ref NatGateway1", "a lost zone"),
    ("      FromPort: 5432", "      FromPort: 22", "ways in differ"),
    ("CidrIp: 127.0.0.1/32", "CidrIp: 0.0.0.0/0", "may go anywhere"),
    (".ecr.dkr", ".ecs", "endpoints differ"),
    ('"${AWS::StackName}-VpcId"', '"${AWS::StackName}-Vpc"', "outputs or exports differ"),
)


def test_planted_mistakes_are_found_in_what_comes_out() -> None:
    """All in one stack: a deployment costs half a second."""
    text = TEMPLATE.read_text()
    for old, new, _wanted in MISTAKES:
        assert old in text
        text = text.replace(old, new)

    found = deployed(text, "production")

    assert [wanted for *_, wanted in MISTAKES if not any(wanted in one for one in found)] == []
