"""Small files as other programs write them, after the public descriptions of the formats."""

# docs.moodle.org, "GIFT format", and its examples in other words.
GIFT = """\
// question: 1  name: Ovary
// [id:o-1] [tag:anatomy]
$CATEGORY: $course$/top/Anatomy

::Q1 T/F:: The ovary lies in the ovarian fossa. {T#Look again.#Yes.}

::Q2:: Which hormone peaks before ovulation? {
   =LH # right: the surge
   ~FSH # wrong
   ~Progesterone
}

Two aromatase inhibitors are {~%50%letrozole ~%50%anastrozole ~%-100%clomifene} and no others.

// a second comment
::Q4:: Match. {
   =Graves -> hyperthyroidism
   =Hashimoto -> hypothyroidism
   = -> euthyroidism
}

::Q5::[html]<p>Who wrote it?</p> {=Stein =%50%Leventhal ####In 1935.}

::Q6:: When? {#1935:1}

::Q7:: A range {#1..5}

::Q8:: Write about it. {}

::Q9:: Only a text

::Q10:: No end {=a ~b

::Q2:: The same name {T}
"""

# docs.moodle.org, "Aiken format".
AIKEN = """\
What is the correct answer to this question?
A. Is it this one?
B. Maybe this answer?
C. Possibly this one?
ANSWER: B

Which follicle ovulates?
A) The dominant one
B) All of them
ANSWER: A

No answer line
A. one
B. two

Names none of them
A. one
B. two
ANSWER: F

A gap
A. one
C. two
ANSWER: A
"""

# docs.moodle.org, "Moodle XML format".
MOODLE = """\
<?xml version="1.0" encoding="UTF-8"?>
<quiz>
  <question type="category"><category><text>$course$/Fertility</text></category></question>
  <question type="multichoice">
    <name><text>The Big Five</text></name>
    <questiontext format="html"><text><![CDATA[<p>Pick <b>two</b><script>alert(1)</script></p>]]></text></questiontext>
    <generalfeedback format="html"><text>See the guideline.</text></generalfeedback>
    <defaultgrade>1</defaultgrade>
    <single>false</single>
    <answer fraction="50" format="html"><text>AMH</text><feedback><text>Yes.</text></feedback></answer>
    <answer fraction="50" format="html"><text>AFC</text></answer>
    <answer fraction="-50" format="html"><text>Shoe size</text></answer>
    <tags><tag><text>reserve</text></tag><tag><text>difficulty:2</text></tag></tags>
  </question>
  <question type="shortanswer">
    <name><text>Short</text></name>
    <questiontext format="markdown"><text>Name it
again</text></questiontext>
    <usecase>1</usecase>
    <answer fraction="100"><text>hCG</text></answer>
    <answer fraction="0"><text>*</text></answer>
  </question>
  <question type="numerical">
    <name><text>Number</text></name>
    <questiontext format="html"><text>How many?</text></questiontext>
    <answer fraction="100"><text>5,5</text><tolerance>0.1</tolerance></answer>
    <units><unit><multiplier>1</multiplier><unit_name>W</unit_name></unit>
      <unit><multiplier>0.001</multiplier><unit_name>kW</unit_name></unit></units>
  </question>
  <question type="cloze"><name><text>Cloze</text></name><questiontext><text>{1:SA:=x}</text></questiontext></question>
  <question type="multichoice">
    <name><text>Nothing right</text></name>
    <questiontext format="html"><text>Pick</text></questiontext>
    <single>true</single>
    <answer fraction="0"><text>a</text></answer><answer fraction="0"><text>b</text></answer>
  </question>
</quiz>
"""

# IMS QTI 2.1 Implementation Guide, "Unattended Luggage" and "Richard III", in other words.
QTI_CHOICE = """\
<?xml version="1.0" encoding="UTF-8"?>
<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="choice" title="Unattended Luggage"
    adaptive="false" timeDependent="false">
  <responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier">
    <correctResponse><value>ChoiceA</value></correctResponse>
  </responseDeclaration>
  <outcomeDeclaration identifier="SCORE" cardinality="single" baseType="float"/>
  <itemBody>
    <p>Look at the text in the picture.</p>
    <choiceInteraction responseIdentifier="RESPONSE" shuffle="false" maxChoices="1">
      <prompt>What does it say?</prompt>
      <simpleChoice identifier="ChoiceA">You must stay with your luggage.</simpleChoice>
      <simpleChoice identifier="ChoiceB">Do not let someone else look after it.
        <feedbackInline outcomeIdentifier="FEEDBACK" identifier="ChoiceB" showHide="show">No.</feedbackInline>
      </simpleChoice>
    </choiceInteraction>
  </itemBody>
  <responseProcessing template="http://www.imsglobal.org/question/qti_v2p1/rptemplates/match_correct"/>
</assessmentItem>
"""
QTI_MAPPED = """\
<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="h2o" title="Composition of Water">
  <responseDeclaration identifier="RESPONSE" cardinality="multiple" baseType="identifier">
    <correctResponse><value>H</value><value>O</value></correctResponse>
    <mapping lowerBound="0" upperBound="2" defaultValue="-2">
      <mapEntry mapKey="H" mappedValue="1"/><mapEntry mapKey="O" mappedValue="1"/>
      <mapEntry mapKey="Cl" mappedValue="-1"/>
    </mapping>
  </responseDeclaration>
  <itemBody>
    <choiceInteraction responseIdentifier="RESPONSE" shuffle="true" maxChoices="0">
      <prompt>Which elements form water?</prompt>
      <simpleChoice identifier="H">Hydrogen</simpleChoice><simpleChoice identifier="O">Oxygen</simpleChoice>
      <simpleChoice identifier="Cl">Chlorine</simpleChoice>
    </choiceInteraction>
  </itemBody>
</assessmentItem>
"""
CSV = """\
Name;Kind;Question;Option A;Option B;Right;Why B;Tags;Difficulty
First;single;p < 0.05 means;rare;certain;a;Never;stats, basics;2
Second;true_false;It is so.;;;true;;;
Third;multiple;Pick;one;two;a, b;;;
;single;;x;y;a;;;
Fourth;guess;What?;;;;;;
Fifth;single;What?;x;y;c;;;9
"""
