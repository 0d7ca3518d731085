<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology|Labeling" labelsEnabled="1">
 <renderer-v2 type="categorizedSymbol" attr="status" forceraster="0" symbollevels="1" enableorderby="0">
  <categories>
   <category value="active" label="active" symbol="0" render="true"/>
   <category value="terminated" label="terminated" symbol="1" render="true"/>
   <category value="draft" label="draft" symbol="2" render="true"/>
   <category value="void" label="void" symbol="3" render="true"/>
  </categories>
  <symbols>
   <symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="255,255,255,0"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="31,41,51,255"/>
      <Option type="QString" name="outline_style" value="solid"/>
      <Option type="QString" name="outline_width" value="0.5"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="255,255,255,0"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="31,41,51,255"/>
      <Option type="QString" name="outline_style" value="dash"/>
      <Option type="QString" name="outline_width" value="0.5"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="255,255,255,0"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="123,135,148,255"/>
      <Option type="QString" name="outline_style" value="dot"/>
      <Option type="QString" name="outline_width" value="0.5"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="255,255,255,0"/>
      <Option type="QString" name="style" value="solid"/>
      <Option type="QString" name="outline_color" value="203,210,217,255"/>
      <Option type="QString" name="outline_style" value="dot"/>
      <Option type="QString" name="outline_width" value="0.5"/>
      <Option type="QString" name="outline_width_unit" value="MM"/>
      <Option type="QString" name="joinstyle" value="round"/>
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="contract_number" fontSize="9" fontSizeUnit="Point" fontFamily="sans-serif" textColor="31,41,51,255" isExpression="0">
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,255"/>
   </text-style>
   <placement placement="1" centroidWhole="0" centroidInside="1"/>
  </settings>
 </labeling>
 <blendMode>0</blendMode>
 <layerOpacity>1</layerOpacity>
</qgis>
